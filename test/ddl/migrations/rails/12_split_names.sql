BEGIN;
ALTER TABLE "users" ADD "first_name" character varying, ADD "last_name" character varying;
UPDATE users SET first_name = split_part(name, ' ', 1), last_name = split_part(name, ' ', 2);
ALTER TABLE "users" DROP COLUMN "name";
ALTER TABLE "users" ADD "name" character varying(50);
INSERT INTO "schema_migrations" ("version") VALUES ('20240113000000');
COMMIT;

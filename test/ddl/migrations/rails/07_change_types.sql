BEGIN;
ALTER TABLE "articles" ALTER COLUMN "title" TYPE text;
ALTER TABLE "articles" ALTER COLUMN "views" TYPE bigint;
ALTER TABLE "users" ALTER COLUMN "name" TYPE character varying(200);
ALTER TABLE "articles" ALTER COLUMN "rating" TYPE decimal(5,2) USING rating::numeric(5,2);
INSERT INTO "schema_migrations" ("version") VALUES ('20240108000000');
COMMIT;

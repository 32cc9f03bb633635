BEGIN;
ALTER TABLE "users" DROP COLUMN "admin";
ALTER TABLE "users" DROP COLUMN "last_name";
DROP TABLE "articles_labels";
DROP TABLE "labels";
ALTER TABLE "articles" DROP CONSTRAINT "fk_rails_5b5ddfd518";
ALTER TABLE "articles" DROP COLUMN "user_id";
INSERT INTO "schema_migrations" ("version") VALUES ('20240115000000');
COMMIT;

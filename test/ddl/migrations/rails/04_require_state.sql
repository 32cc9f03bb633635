BEGIN;
UPDATE "posts" SET "state"='draft' WHERE "state" IS NULL;
ALTER TABLE "posts" ALTER COLUMN "state" SET NOT NULL;
ALTER TABLE "posts" ALTER COLUMN "state" SET DEFAULT 'new';
UPDATE "users" SET "name"='somebody' WHERE "name" IS NULL;
ALTER TABLE "users" ALTER COLUMN "name" SET NOT NULL;
INSERT INTO "schema_migrations" ("version") VALUES ('20240105000000');
COMMIT;

BEGIN;
CREATE TYPE article_state AS ENUM ('new', 'draft', 'published');
ALTER TABLE "articles" ALTER COLUMN "state" DROP DEFAULT;
ALTER TABLE "articles" ALTER COLUMN "state" TYPE article_state USING state::article_state;
ALTER TABLE "articles" ALTER COLUMN "state" SET DEFAULT 'new';
ALTER TYPE article_state ADD VALUE 'archived';
INSERT INTO "schema_migrations" ("version") VALUES ('20240111000000');
COMMIT;

BEGIN;
ALTER TYPE article_state RENAME VALUE 'new' TO 'fresh';
ALTER TABLE "articles" RENAME COLUMN "state" TO "status";
ALTER INDEX "index_articles_on_state_and_published_at" RENAME TO "index_articles_on_status_and_published_at";
ALTER INDEX "index_articles_on_user_id_and_state" RENAME TO "index_articles_on_user_id_and_status";
ALTER TABLE "articles" RENAME COLUMN "title" TO "state";
ALTER TABLE "articles" RENAME COLUMN "state" TO "headline";
INSERT INTO "schema_migrations" ("version") VALUES ('20240112000000');
COMMIT;

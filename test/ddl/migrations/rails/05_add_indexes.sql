CREATE INDEX CONCURRENTLY "index_posts_on_state_and_published_at" ON "posts" ("state", "published_at");
CREATE INDEX CONCURRENTLY "index_posts_on_lower_title" ON "posts" (lower(title));
DROP INDEX CONCURRENTLY "index_posts_on_user_id";
CREATE INDEX CONCURRENTLY "index_posts_on_user_id_and_state" ON "posts" ("user_id", "state");
BEGIN;
INSERT INTO "schema_migrations" ("version") VALUES ('20240106000000');
COMMIT;

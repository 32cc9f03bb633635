UPDATE posts SET published_at = created_at WHERE state = 'published' AND published_at IS NULL;
UPDATE posts SET state = 'draft' WHERE state IS NULL;
BEGIN;
INSERT INTO "schema_migrations" ("version") VALUES ('20240104000000');
COMMIT;

BEGIN;
ALTER TABLE "posts" ADD "published_at" timestamp;
ALTER TABLE "posts" ADD "views" integer DEFAULT 0 NOT NULL;
ALTER TABLE "users" ADD "admin" boolean DEFAULT FALSE NOT NULL;
ALTER TABLE "users" ADD "tags" character varying[] DEFAULT '{}';
INSERT INTO "schema_migrations" ("version") VALUES ('20240103000000');
COMMIT;

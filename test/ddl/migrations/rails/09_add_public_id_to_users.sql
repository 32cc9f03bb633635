BEGIN;
ALTER TABLE "users" ADD "public_id" uuid DEFAULT gen_random_uuid() NOT NULL;
ALTER TABLE "users" ADD "seen_at" timestamp DEFAULT CURRENT_TIMESTAMP;
CREATE UNIQUE INDEX "index_users_on_public_id" ON "users" ("public_id");
INSERT INTO "schema_migrations" ("version") VALUES ('20240110000000');
COMMIT;

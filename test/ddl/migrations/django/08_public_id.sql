BEGIN;
ALTER TABLE "shop_order" ADD COLUMN "public_id" uuid NULL;
UPDATE shop_order SET public_id = gen_random_uuid();
INSERT INTO "django_migrations" ("app", "name", "applied") VALUES ('shop', '0008_public_id', '2026-11-22 06:47:16.940789+00:00');
COMMIT;

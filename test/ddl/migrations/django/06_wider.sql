BEGIN;
ALTER TABLE "shop_product" ALTER COLUMN "price" TYPE numeric(12, 4);
ALTER TABLE "shop_product" ALTER COLUMN "name" TYPE text USING "name"::text;
ALTER TABLE "shop_product" ALTER COLUMN "stock" TYPE bigint USING "stock"::bigint;
INSERT INTO "django_migrations" ("app", "name", "applied") VALUES ('shop', '0006_wider', '2026-11-22 06:47:16.925088+00:00');
COMMIT;

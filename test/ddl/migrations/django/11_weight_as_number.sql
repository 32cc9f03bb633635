BEGIN;
ALTER TABLE "shop_product" ALTER COLUMN "weight" TYPE numeric(10, 3) USING "weight"::numeric(10, 3);
ALTER TABLE "shop_order" ALTER COLUMN "paid" TYPE integer USING "paid"::integer;
INSERT INTO "django_migrations" ("app", "name", "applied") VALUES ('shop', '0011_weight_as_number', '2026-11-22 06:47:16.973193+00:00');
COMMIT;

BEGIN;
ALTER TABLE "shop_order" ADD COLUMN "changed" timestamp with time zone DEFAULT (STATEMENT_TIMESTAMP()) NOT NULL;
ALTER TABLE "shop_product" ADD COLUMN "worth" numeric(20, 4) GENERATED ALWAYS AS (("price" * "stock")) STORED;
INSERT INTO "django_migrations" ("app", "name", "applied") VALUES ('shop', '0013_computed', '2026-11-22 06:47:17.007156+00:00');
COMMIT;

BEGIN;
ALTER TABLE "shop_customer" ADD COLUMN "phone" varchar(20) NULL;
ALTER TABLE "shop_product" ADD COLUMN "stock" integer DEFAULT 0 NOT NULL;
ALTER TABLE "shop_product" ALTER COLUMN "stock" DROP DEFAULT;
ALTER TABLE "shop_order" ADD COLUMN "paid" boolean DEFAULT false NOT NULL;
ALTER TABLE "shop_order" ALTER COLUMN "paid" DROP DEFAULT;
INSERT INTO "django_migrations" ("app", "name", "applied") VALUES ('shop', '0002_contact', '2026-11-22 06:47:16.883439+00:00');
COMMIT;

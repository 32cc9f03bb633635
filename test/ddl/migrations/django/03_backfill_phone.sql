BEGIN;
UPDATE shop_customer SET phone = '+49 ' || id WHERE phone IS NULL;
UPDATE shop_order SET paid = true WHERE status = 'paid';
INSERT INTO "django_migrations" ("app", "name", "applied") VALUES ('shop', '0003_backfill_phone', '2026-11-22 06:47:16.889748+00:00');
COMMIT;

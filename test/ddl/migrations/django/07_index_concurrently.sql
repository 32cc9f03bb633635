CREATE INDEX CONCURRENTLY "order_client_placed" ON "shop_order" ("client_id", "placed" DESC);
CREATE INDEX CONCURRENTLY "product_price" ON "shop_product" ("price") WHERE "stock" > 0;
INSERT INTO "django_migrations" ("app", "name", "applied") VALUES ('shop', '0007_index_concurrently', '2026-11-22 06:47:16.933445+00:00');

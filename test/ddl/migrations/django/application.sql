-- 01
INSERT INTO shop_customer (name, email, joined) VALUES
  ('Ann', 'ann@example.org', '2024-01-05 10:00+01'), ('Bob', 'bob@example.org', '2024-02-29 23:59:59.123456+00'), ('Zoë', 'zoe@example.org', 'infinity');
INSERT INTO shop_product (sku, title, price, weight) VALUES
  ('L-1', 'Lamp', 49.90, '1.5'), ('C-1', 'Chair', 120.00, '7'), ('T-1', 'Table', 310.55, '23.250');
BEGIN;
INSERT INTO shop_order (placed, status, total, customer_id) VALUES
  ('2024-03-01 08:00Z', 'new', 49.90, 1), ('2024-03-02 09:30Z', 'paid', 430.55, 2), ('2024-03-03 10:00Z', 'paid', 120.00, 1);
INSERT INTO shop_order_products (order_id, product_id) VALUES (1, 1), (2, 2), (2, 3), (3, 2);
COMMIT;
-- 02
INSERT INTO shop_customer (name, email, joined, phone) VALUES ('Dan', 'dan@example.org', '2024-04-01Z', '0170 1');
UPDATE shop_product SET stock = 5 WHERE sku = 'L-1';
INSERT INTO shop_product (sku, title, price, weight, stock) VALUES ('B-1', 'Bed', 899.00, '60', 2);
INSERT INTO shop_order (placed, status, total, customer_id, paid) VALUES ('2024-04-02 12:00Z', 'new', 899.00, 4, false);
-- 03
UPDATE shop_customer SET phone = NULL WHERE name = 'Bob';
DELETE FROM shop_order_products WHERE order_id = 3;
UPDATE shop_order SET status = 'paid', paid = true WHERE id = 1;
-- 04
UPDATE shop_customer SET phone = '0171 2' WHERE phone = '';
UPDATE shop_order SET status = 'waiting for payment' WHERE id = 4;
-- 05
INSERT INTO shop_client (name, email, joined, phone) VALUES ('Eve', 'eve@example.org', '2024-05-05Z', '0172 3');
UPDATE shop_product SET name = 'Desk lamp' WHERE sku = 'L-1';
UPDATE shop_order SET client_id = 5 WHERE id = 4;
-- 06
UPDATE shop_product SET price = 49.9995, stock = 5000000000 WHERE sku = 'L-1';
INSERT INTO shop_product (sku, name, price, weight, stock) VALUES ('S-1', repeat('Sofa ', 60), 1999.9999, '80', 1);
-- 07
UPDATE shop_order SET total = total + 1 WHERE client_id = 1;
UPDATE shop_product SET stock = 0 WHERE sku = 'C-1';
-- 08
INSERT INTO shop_order (placed, status, total, client_id, paid) VALUES ('2024-08-01Z', 'new', 10.00, 3, false);
UPDATE shop_order SET public_id = '00000000-0000-4000-8000-000000000001' WHERE id = 1;
-- 09
INSERT INTO shop_order (placed, status, total, client_id, paid, public_id)
  VALUES ('2024-09-01Z', 'new', 20.00, 3, false, '00000000-0000-4000-8000-000000000002');
UPDATE shop_product SET price = 0 WHERE sku = 'B-1';
UPDATE shop_client SET name = 'Ann B.' WHERE id = 1;
-- 10
INSERT INTO shop_category (slug, settings, parent_id) VALUES ('home', '{"order": 1, "rate": 1.10}', NULL), ('bedroom', '{}', 1);
UPDATE shop_product SET category_id = 2 WHERE sku = 'B-1';
-- 11
UPDATE shop_product SET weight = 60.125 WHERE sku = 'B-1';
UPDATE shop_order SET paid = 2 WHERE id = 1;
-- 12
INSERT INTO shop_client (id, name, email, joined, phone) VALUES (3000000000, 'Far', 'far@example.org', '2024-12-01Z', '');
INSERT INTO shop_order (id, placed, status, total, client_id, paid, public_id)
  VALUES (3000000001, '2024-12-02Z', 'new', 30.00, 3000000000, 0, '00000000-0000-4000-8000-000000000003');
INSERT INTO shop_order_products (order_id, product_id) VALUES (3000000001, 1);
-- 13
UPDATE shop_order SET changed = '2025-01-01Z' WHERE id = 2;
UPDATE shop_product SET stock = 3 WHERE sku = 'T-1';
-- 14
DELETE FROM shop_order_products WHERE order_id = 1;
DELETE FROM shop_order WHERE id = 1;
UPDATE shop_client SET phone = '0171 2' WHERE id = 1;
INSERT INTO catalogue (sku, name, price, weight, stock) VALUES ('X-1', 'Box', 5, 0.5, 100);

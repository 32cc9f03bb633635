-- 01
INSERT INTO billing.account VALUES ('A-1', 'Ann', 'private', NULL, 10.50, 1700000000, 'red,blue'), ('A-2', 'Bob', 'business', 'DE00', 0, 1600000000, NULL);
INSERT INTO billing.booking VALUES ('A-1', '2024-01-05', 10.50, 'start'), ('A-2', '2024-02-01', 1.00, NULL), ('A-2', '2024-02-01', -1.00, NULL);
INSERT INTO billing.audit (at, what) VALUES ('2024-01-01Z', 'opened'), ('2024-01-01Z', 'opened'), ('2024-02-01Z', 'booked');
-- 02
INSERT INTO billing.account (account_no, owner, kind, opened, limits) VALUES ('A-3', 'Cats e.V.', 'charity', 1650000000, '[5,6)');
UPDATE billing.account SET currency = 'CHF', closed_at = '2024-03-03Z' WHERE account_no = 'A-2';
DELETE FROM billing.audit WHERE what = 'booked';
-- 03
UPDATE billing.account SET balance = 12.5 WHERE account_no = 'A-1';
UPDATE billing.booking SET note = 'changed' WHERE account_no = 'A-1';
-- 04
INSERT INTO billing.account (account_no, owner, iban, balance, opened, tags) VALUES ('A-4', 'Dan', 'FR1', 99.99, '2024-04-04Z', '{x,"y z"}');
UPDATE billing.account SET tags = NULL WHERE account_no = 'A-1';
-- 05
UPDATE billing.account SET balance = balance + 1;
DELETE FROM billing.account WHERE account_no = 'A-4';
-- 06
INSERT INTO billing.booking VALUES ('A-1', '2025-05-05', 5.00, 'in the new one'), ('A-1', '2024-12-31', 6.00, 'in the old one');
-- 07
INSERT INTO billing.audit VALUES (100, '2024-07-07Z', 'new');
UPDATE billing.audit SET what = 'changed' WHERE id = 1;
INSERT INTO billing.audit_old (what) VALUES ('late');
-- 08
UPDATE billing.account SET closed_at = '2024-08-08' WHERE id = 1;
INSERT INTO billing.account (account_no, owner, iban, opened, id) VALUES ('Eve', 'A-5', 'IT1', '2024-08-09Z', 50);
-- 09
UPDATE billing.account SET balance = balance + 1;
INSERT INTO billing.account (account_no, owner, kind, iban, opened, id) VALUES ('Fay', 'A-6', 'personal', 'IT2', '2024-09-09Z', 51);
INSERT INTO billing.card (account_no, owner, iban, opened, id) VALUES ('Fay', 'A-6', 'IT2', '2024-09-09Z', 7), ('Eve', 'A-5', 'IT1', '2024-09-09Z', 8);
-- 10
UPDATE billing_core.customer SET balance = 0 WHERE id = 51;
-- 11
UPDATE billing.card SET iban = 'YY1';
-- 12
INSERT INTO billing.booking VALUES ('A-2', '2025-06-06', 6.00, 'last');
UPDATE billing_core.customer SET currency = 'USD' WHERE id = 1;
INSERT INTO billing.booking_archive VALUES ('A-2', '2024-06-06', 7.00, 'into the archive');

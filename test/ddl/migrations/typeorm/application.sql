-- 01
INSERT INTO team (title) VALUES ('Red'), ('Blue');
INSERT INTO task (name, due, "teamId") VALUES ('Paint', '2024-05-01', 1), ('Sand', NULL, 1), ('Sweep', '2024-06-01', 2);
UPDATE task SET state = 'done' WHERE id = 2;
-- 02
UPDATE team SET code = 'r' WHERE id = 1;
UPDATE task SET points = 5, labels = '{a,"b c",NULL}' WHERE id = 1;
INSERT INTO task (name, "teamId") VALUES ('Wash', 2);
-- 03
INSERT INTO team (title, code) VALUES ('Green', 'g');
DELETE FROM task WHERE id = 3;
-- 04
UPDATE task SET state = 'waiting' WHERE id = 1;
-- 05
UPDATE team SET code = 'code ' || id;
UPDATE task SET points = 2.50 WHERE id = 2;
INSERT INTO task (name, "teamId") VALUES ('Dry', 3);
-- 06
INSERT INTO person (id, email, profile, since) VALUES ('00000000-0000-4000-8000-000000000001', 'ann@example.org', '{"a": [1, 2.50]}', '2024-07-01Z');
UPDATE task SET "ownerId" = '00000000-0000-4000-8000-000000000001' WHERE id = 1;
-- 07
UPDATE team SET code = 'other' WHERE id = 1;
UPDATE task SET points = 0 WHERE id = 1;
-- 08
INSERT INTO person (id, email) VALUES ('00000000-0000-4000-8000-000000000002', 'bob@example.org');
INSERT INTO membership VALUES ('00000000-0000-4000-8000-000000000001', 1), ('00000000-0000-4000-8000-000000000002', 1);
-- 09
UPDATE task SET due = '2024-09-09 09:09:09Z' WHERE id = 1;
UPDATE person SET since = '2024-09-01Z' WHERE email = 'bob@example.org';
-- 10
UPDATE task SET state = 'new' WHERE id = 2;
UPDATE person SET email = 'ann.b@example.org' WHERE email = 'ann@example.org';
-- 11
INSERT INTO task (name, "teamId", state) VALUES ('Rest', 1, 'later');
UPDATE task SET state = 'done' WHERE id = 2;
DELETE FROM person WHERE email = 'bob@example.org';

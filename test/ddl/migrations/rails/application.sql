-- 01
INSERT INTO users (email, name, visits, created_at, updated_at) VALUES
  ('ann@example.org', 'Ann Archer', 3, '2024-01-02', '2024-01-02'), ('bob@example.org', NULL, 0, '2024-01-03', '2024-01-03 00:00:00.5'),
  ('cy@example.org', 'Cy Chan', NULL, '2024-01-04', '2024-01-04');
INSERT INTO posts (user_id, title, body, state, rating, created_at, updated_at) VALUES
  (1, 'First', 'one', 'published', '4.5', '2024-02-01', '2024-02-01'), (1, 'Second', NULL, 'draft', NULL, '2024-02-02', '2024-02-02'),
  (2, 'Third', E'three\nlines\there', NULL, '3', '2024-02-03', '2024-02-03');
-- 02
UPDATE users SET admin = true, tags = '{staff,"two words"}' WHERE id = 1;
INSERT INTO users (email, created_at, updated_at) VALUES ('dee@example.org', now(), now());
UPDATE posts SET views = 10 WHERE id = 1;
INSERT INTO posts (user_id, title, state, created_at, updated_at, views) VALUES (3, 'Fourth', 'published', '2024-03-01', '2024-03-01', 7);
-- 03
UPDATE posts SET views = views + 1;
DELETE FROM posts WHERE id = 2;
-- 04
INSERT INTO posts (user_id, title, created_at, updated_at) VALUES (1, 'Fifth', now(), now());
UPDATE users SET name = 'Bob Baker' WHERE id = 2;
-- 05
BEGIN;
UPDATE posts SET published_at = now() WHERE id = 4;
UPDATE users SET visits = 8 WHERE id = 3;
COMMIT;
-- 06
INSERT INTO articles (user_id, title, content, created_at, updated_at) VALUES (2, 'Sixth', 'six', now(), now());
UPDATE users SET sign_in_count = sign_in_count + 1;
-- 07
UPDATE articles SET title = repeat('long ', 2000), views = 5000000000 WHERE id = 1;
UPDATE articles SET rating = 2.25 WHERE id = 5;
UPDATE users SET name = repeat('N', 150) WHERE id = 4;
-- 08
INSERT INTO labels (id, name, settings) VALUES ('00000000-0000-4000-8000-00000000000a', 'news', '{"n": 1.10}');
INSERT INTO labels (name) VALUES ('other');
INSERT INTO articles_labels SELECT 1, id FROM labels;
-- 09
UPDATE users SET seen_at = '2024-06-01' WHERE id = 1;
INSERT INTO users (email, name, created_at, updated_at) VALUES ('eli@example.org', 'Eli Evans', now(), now());
-- 10
INSERT INTO articles (user_id, title, created_at, updated_at) VALUES (1, 'Seventh', now(), now());
UPDATE articles SET state = 'archived' WHERE id = 3;
-- 11
UPDATE articles SET views = views + 1;
UPDATE articles SET status = 'fresh' WHERE id = 4;
INSERT INTO articles (user_id, headline, created_at, updated_at) VALUES (1, 'Eighth', now(), now());
-- 12
UPDATE users SET name = 'ann' WHERE id = 1;
DELETE FROM users WHERE id = 5;
-- 13
INSERT INTO labels (name) VALUES ('third');
DELETE FROM articles_labels WHERE label_id = '00000000-0000-4000-8000-00000000000a';
-- 14
UPDATE users SET sign_in_count = 0;
UPDATE articles SET views = 1 WHERE id = 5;

/**
 * A small shop: six tables with many of Postgres' types, a composite key, a table without any key, and some thousand
 * rows, the same at every start.
 */
export const SHOP_TABLES = `
CREATE TYPE category AS ENUM ('lighting', 'kitchen', 'garden', 'office', 'textiles');
CREATE TYPE order_status AS ENUM ('placed', 'paid', 'shipped', 'returned');

CREATE TABLE customers (
  id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  name text NOT NULL,
  email text NOT NULL UNIQUE,
  city text NOT NULL,
  interests text[] NOT NULL DEFAULT '{}',
  newsletter boolean NOT NULL DEFAULT false,
  birthday date
);

CREATE TABLE products (
  id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  sku varchar(12) NOT NULL UNIQUE,
  name text NOT NULL,
  category category NOT NULL,
  price numeric(10,2) NOT NULL,
  attributes jsonb NOT NULL DEFAULT '{}',
  sizes_cm int[]
);

CREATE TABLE stock (
  product_id int PRIMARY KEY REFERENCES products,
  pieces int NOT NULL,
  counted_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE orders (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  reference uuid NOT NULL UNIQUE DEFAULT gen_random_uuid(),
  customer_id int NOT NULL REFERENCES customers,
  status order_status NOT NULL DEFAULT 'placed',
  placed_at timestamptz NOT NULL DEFAULT now(),
  note text
);
CREATE INDEX orders_of_customer ON orders (customer_id, placed_at);

CREATE TABLE order_lines (
  order_id bigint NOT NULL REFERENCES orders ON DELETE CASCADE,
  line smallint NOT NULL,
  product_id int NOT NULL REFERENCES products,
  quantity int NOT NULL,
  price numeric(10,2) NOT NULL,
  PRIMARY KEY (order_id, line)
);

-- A log without a key: the same row may be there twice. FULL, so that its rows can be deleted while it is replicated.
CREATE TABLE events (
  happened_at timestamptz(0) NOT NULL DEFAULT now(),
  kind text NOT NULL,
  customer_id int,
  detail jsonb
);
ALTER TABLE events REPLICA IDENTITY FULL;
`;

/** Multiplications by primes scatter the values; a random() would give others at every version of Postgres. */
export const SHOP_ROWS = `
INSERT INTO customers (name, email, city, interests, newsletter, birthday)
SELECT first || ' ' || last, lower(first || '.' || last) || n || '@mail.example', city,
       CASE n % 4 WHEN 0 THEN '{}' WHEN 1 THEN ARRAY['lighting'] ELSE ARRAY['garden', 'slow food'] END,
       n % 3 = 0, CASE WHEN n % 5 > 0 THEN date '1950-01-01' + n * 7919 % 20000 END
FROM generate_series(1, 1000) n, LATERAL (SELECT
  (ARRAY['Ada', 'Ben', 'Chiara', 'Dmitri', 'Elif', 'Femi', 'Grace', 'Hugo', 'Ines', 'Jun', 'Kamala', 'Léa', 'Mateo',
         'Nadia', 'Omar', 'Paula', 'Quinn', 'Rosa', 'Søren', 'Tomoko'])[1 + n * 131 % 20] AS first,
  (ARRAY['Almeida', 'Brandt', 'Cohen', 'Duarte', 'Eriksson', 'Fischer', 'Garcia', 'Haddad', 'Ivanova', 'Jansen', 'Kim',
         'Larsen', 'Moreau', 'Novak', 'Okafor', 'Petrov', 'Rossi', 'Sato', 'Tanaka', 'Weber'])[1 + n / 20 % 20] AS last,
  (ARRAY['Lisbon', 'Malmö', 'Accra', 'Kyoto', 'Porto Alegre', 'Leeds', 'Gdańsk', 'Nantes'])[1 + n * 17 % 8] AS city) x
ORDER BY n;

INSERT INTO products (sku, name, category, price, attributes, sizes_cm)
SELECT upper(left(kind, 3)) || '-' || lpad((n + 1)::text, 3, '0'), collection || ' ' || noun, kind::category,
       9.90 + n * 7919 % 180,
       jsonb_build_object('colour', colour, 'weight', jsonb_build_object('value', n * 31 % 90, 'unit', 'hg'),
                          'outdoor', kind = 'garden'),
       CASE WHEN n % 6 > 0 THEN ARRAY[n * 13 % 60 + 10, n * 29 % 90 + 10] END
FROM generate_series(0, 119) n, LATERAL (SELECT
  (ARRAY['Oslo', 'Lund', 'Turku', 'Aarhus', 'Bergen', 'Visby'])[1 + n / 4 % 6] AS collection,
  (ARRAY['brass', 'oak', 'black', 'linen', 'sea green'])[1 + n * 7 % 5] AS colour,
  (ARRAY['lighting', 'kitchen', 'garden', 'office', 'textiles'])[1 + n / 24] AS kind,
  (ARRAY['desk lamp', 'floor lamp', 'pendant', 'lantern', 'kettle', 'cutting board', 'tray', 'carafe', 'bench', 'planter',
         'watering can', 'hammock', 'chair', 'shelf', 'notebook', 'clock', 'blanket', 'cushion', 'rug', 'curtain'])
    [1 + n / 24 * 4 + n % 4] AS noun) x
ORDER BY n;

INSERT INTO stock SELECT id, 40 + id * 37 % 160, timestamptz '2025-12-31 18:00Z' FROM products ORDER BY id;

INSERT INTO orders (reference, customer_id, status, placed_at, note)
SELECT md5('order ' || n)::uuid, 1 + n * 613 % 1000,
       CASE WHEN n % 37 = 0 THEN 'returned' WHEN n < 2950 THEN 'shipped' WHEN n < 2975 THEN 'paid' ELSE 'placed' END::order_status,
       timestamptz '2025-01-02 09:00Z' + n * interval '2 hours 51 minutes 7.25 seconds',
       (ARRAY['please ring twice', 'gift wrap 🎁', 'leave it with the neighbour'])[nullif(n % 9, 0)]
FROM generate_series(1, 3000) n ORDER BY n;

INSERT INTO order_lines
SELECT o.id, line, p.id, 1 + (o.id + line) % 3, p.price
FROM orders o, generate_series(1, 1 + o.id % 5) line, products p
WHERE p.id = 1 + (o.id * 7 + line * 31) % 120
ORDER BY o.id, line;

INSERT INTO events
SELECT date_trunc('hour', placed_at), 'product viewed', customer_id, jsonb_build_object('product', 1 + id * 11 % 120)
FROM orders, generate_series(1, 1 + id % 2) ORDER BY id;

ANALYZE;
`;

/** The product whose price the tour follows: a lamp. */
export const FOLLOWED_PRODUCT = 2;

-- What wal2dolt has in a Postgres database, so that each schema change comes in its place in the WAL: event triggers that
-- put the definition of every table that a command touched into a logical message of the same transaction.
--
-- wal2dolt installs it by itself where its role may create event triggers. Otherwise, as a superuser in that database:
--   psql --single-transaction --file wal2dolt.sql shop
--   psql --command "SELECT wal2dolt.follow('wal2dolt')" shop      -- the publication's name
-- It may be run again at any time, also over another version. Away with it:
--   DROP EVENT TRIGGER wal2dolt_ddl, wal2dolt_drop, wal2dolt_rewrite;  DROP SCHEMA wal2dolt CASCADE;
--
-- Nobody's command fails or waits because of it: what goes wrong inside is told in the message. In an emergency,
--   SET wal2dolt.disabled = on;      (for all: ALTER DATABASE shop SET wal2dolt.disabled = on)
--
-- Postgres 15 and newer. In ASCII, since databases have other encodings. What is between $published$, $tables$ and $types$ is
-- also sent as a query, with $1 and $2.

-- Functions are replaced, not dropped, since commands may be calling them: one whose arguments change gets another name.

CREATE SCHEMA IF NOT EXISTS wal2dolt;
-- Everybody may see what is installed.
GRANT USAGE ON SCHEMA wal2dolt TO PUBLIC;

-- Which publications are followed. A function, since a table would be part of publications for all tables, and a table or view
-- is locked for as long as the transactions of those who read it take.
CREATE OR REPLACE FUNCTION wal2dolt.set_followed(publications name[]) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $set_followed$
BEGIN
  EXECUTE format('CREATE OR REPLACE FUNCTION wal2dolt.followed() RETURNS name[] LANGUAGE sql STABLE AS %L',
    format('SELECT %L::pg_catalog.name[]', publications));
END
$set_followed$;

DO $do$
BEGIN
  IF pg_catalog.to_regprocedure('wal2dolt.followed()') IS NULL THEN
    PERFORM wal2dolt.set_followed('{}');
  END IF;
END
$do$;

CREATE OR REPLACE FUNCTION wal2dolt.follow(publication name) RETURNS void
LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $follow$
  SELECT wal2dolt.set_followed(ARRAY(SELECT unnest(wal2dolt.followed()) UNION SELECT publication ORDER BY 1))
$follow$;

CREATE OR REPLACE FUNCTION wal2dolt.unfollow(publication name) RETURNS void
LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $unfollow$
  SELECT wal2dolt.set_followed(array_remove(wal2dolt.followed(), publication))
$unfollow$;

-- How a publication carries tables: all, or those of `relations`. What pg_publication_tables says, without the locks that it
-- takes on every table, and without partitions that are not replicated. `listed` is a column list, `filter` a row filter;
-- `published_by` are the catalog rows that make it so.
-- Source: GetPublicationRelations() and its neighbours in Postgres' src/backend/catalog/pg_publication.c
CREATE OR REPLACE FUNCTION wal2dolt.published(publication text, relations oid[])
RETURNS TABLE (relid oid, listed int2[], filter pg_node_tree, published_by oid[])
LANGUAGE sql STABLE AS $published$
  WITH RECURSIVE publication AS (
    SELECT p.oid, p.puballtables, p.pubviaroot FROM pg_publication p WHERE p.pubname = $1::text
  ), lineage (relid, ancestor) AS (
    -- Every table with itself and the partitioned tables above it.
    SELECT c.oid, c.oid FROM publication, unnest(coalesce($2::oid[], ARRAY(SELECT oid FROM pg_class))) o (oid) JOIN pg_class c USING (oid)
    WHERE c.relkind IN ('r', 'p', 'f')
    UNION ALL
    SELECT l.relid, i.inhparent
    FROM lineage l JOIN pg_class c ON c.oid = l.ancestor AND c.relispartition
    JOIN pg_inherits i ON i.inhrelid = l.ancestor AND NOT i.inhdetachpending
  ), entry (relid, ancestor, oid, excepted, chosen) AS (
    -- `chosen`: the entry makes that table itself part of the publication, not only its partitions. `excepted`: neither, in a
    -- publication for all tables but some (prexcept, from Postgres 19 on).
    SELECT l.relid, l.ancestor, pr.oid, coalesce((to_jsonb(pr) ->> 'prexcept')::boolean, false), true
    FROM publication p, lineage l JOIN pg_publication_rel pr ON pr.prrelid = l.ancestor
    WHERE pr.prpubid = p.oid
    UNION ALL
    SELECT l.relid, l.ancestor, pn.oid, false, c.relkind = 'p' OR c.relkind = 'r' AND c.relpersistence = 'p'
    FROM publication p, lineage l JOIN pg_class c ON c.oid = l.ancestor
    JOIN pg_publication_namespace pn ON pn.pnnspid = c.relnamespace
    WHERE pn.pnpubid = p.oid
    UNION ALL
    SELECT l.relid, l.relid, p.oid, false, c.relkind IN ('r', 'p') AND c.relpersistence = 'p' AND c.oid >= 16384
    FROM publication p, lineage l JOIN pg_class c ON c.oid = l.relid
    WHERE p.puballtables AND l.relid = l.ancestor
  ), carried AS (
    SELECT e.relid, array_agg(DISTINCT e.oid ORDER BY e.oid) AS published_by
    FROM publication p, entry e JOIN pg_class c ON c.oid = e.relid
    -- By a partitioned table a publication names all of its partitions, but of these no change is ever sent.
    WHERE c.relkind <> 'f' AND c.relpersistence = 'p'
    GROUP BY e.relid, p.puballtables, p.pubviaroot, c.relkind, c.relispartition
    HAVING NOT bool_or(e.excepted) AND CASE
      WHEN NOT p.pubviaroot THEN c.relkind <> 'p' AND bool_or(e.chosen)
      WHEN p.puballtables THEN NOT c.relispartition AND bool_or(e.chosen)
      -- In favour of the table above that is chosen itself.
      ELSE bool_or(e.chosen) AND bool_and(e.ancestor = e.relid)
    END
  )
  SELECT t.relid, pr.prattrs::int2[] AS listed, pr.prqual AS filter, t.published_by
  FROM publication p, carried t JOIN pg_class c ON c.oid = t.relid
  LEFT JOIN pg_publication_rel pr ON pr.prrelid = t.relid AND pr.prpubid = (SELECT oid FROM publication)
    -- All tables of a schema, or all tables, take no notice of what the list says of one of them.
    AND NOT EXISTS (
      SELECT FROM pg_publication_namespace pn, publication WHERE pn.pnpubid = publication.oid AND pn.pnnspid = c.relnamespace)
$published$;

-- The definitions of the tables that a publication carries: all, or those of `relations`. For the publication NULL, which
-- takes `relations`: the tables as a new publication of theirs would carry them. The shape is that of postgres/definition.ts.
CREATE OR REPLACE FUNCTION wal2dolt.tables(publication text, relations oid[])
RETURNS TABLE (relid oid, definition json)
LANGUAGE sql STABLE AS $tables$
  WITH published AS MATERIALIZED (
    SELECT * FROM wal2dolt.published($1, $2) p
    UNION ALL
    SELECT oid, NULL, NULL, '{}' FROM pg_class WHERE $1::text IS NULL AND oid = ANY ($2::oid[])
  ), publication AS (
    -- As JSON, since pubgencols exists from Postgres 18 on.
    SELECT to_jsonb(p) ->> 'pubgencols' AS generated FROM (SELECT) one LEFT JOIN pg_publication p ON p.pubname = $1::text
  )
  SELECT c.oid AS relid, json_build_object(
    'oid', c.oid::int8, 'schema', n.nspname, 'name', c.relname, 'kind', c.relkind, 'replicaIdentity', c.relreplident,
    'comment', (SELECT description FROM pg_description WHERE objoid = c.oid AND classoid = 'pg_class'::regclass AND objsubid = 0),
    'rowFilter', pg_get_expr(t.filter, t.relid),
    'publishedBy', t.published_by::int8[], 'fileNode', coalesce(pg_relation_filenode(c.oid), 0)::int8,
    'partitionOf', (SELECT i.inhparent::int8 FROM pg_inherits i
      WHERE c.relispartition AND i.inhrelid = c.oid AND NOT i.inhdetachpending),
    'partitions', leaves.oids, 'leaves', leaves.facts,
    'columns', (
      SELECT coalesce(json_agg(json_build_object(
        'attnum', a.attnum, 'name', a.attname,
        -- Before Postgres 18 no generated column is ever sent, also where it is listed.
        'published', CASE WHEN a.attgenerated <> '' AND current_setting('server_version_num')::int < 180000 THEN false
          WHEN t.listed IS NOT NULL THEN a.attnum = ANY (t.listed)
          WHEN $1::text IS NULL THEN a.attgenerated IN ('', 's')
          ELSE a.attgenerated = '' OR a.attgenerated = 's' AND publication.generated = 's' END,
        'typeOid', a.atttypid::int8, 'typmod', a.atttypmod,
        -- A constraint that is NOT VALID (Postgres 18) leaves NULLs in old rows.
        'notNull', a.attnotnull AND NOT EXISTS (
          SELECT FROM pg_constraint nn
          WHERE nn.conrelid = c.oid AND nn.contype = 'n' AND NOT nn.convalidated AND nn.conkey = ARRAY[a.attnum]),
        'defaultExpression', pg_get_expr(d.adbin, d.adrelid),
        'identity', a.attidentity, 'generated', a.attgenerated,
        'collation', CASE WHEN a.attcollation <> (SELECT y.typcollation FROM pg_type y WHERE y.oid = a.atttypid)
          THEN a.attcollation::regcollation::text END,
        -- A partitioned table has no rows of its own, so its partitions have it. All the same: it is younger than they are.
        'missing', CASE WHEN a.atthasmissing THEN array_to_string(a.attmissingval, '') ELSE (
          SELECT array_to_string(m.attmissingval, '') FROM pg_attribute m
          WHERE c.relkind = 'p' AND m.attrelid = ANY (tree.descendants) AND m.attname = a.attname AND m.atthasmissing
          LIMIT 1) END) ORDER BY a.attnum), '[]')
      FROM pg_attribute a LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
      WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped),
    'indexes', (
      SELECT coalesce(json_agg(json_build_object(
        'name', ic.relname, 'unique', i.indisunique, 'primary', i.indisprimary, 'immediate', i.indimmediate,
        'replicaIdentity', i.indisreplident, 'definition', pg_get_indexdef(i.indexrelid),
        'key', CASE WHEN (am.amname IN ('btree', 'hash') OR i.indisprimary) AND i.indpred IS NULL
               THEN (i.indkey::int2[])[0:i.indnkeyatts - 1] END) ORDER BY ic.relname COLLATE "C"), '[]')
      FROM pg_index i JOIN pg_class ic ON ic.oid = i.indexrelid JOIN pg_am am ON am.oid = ic.relam
      WHERE i.indrelid = c.oid AND i.indisvalid),
    'constraints', (
      SELECT coalesce(json_agg(CASE k.contype WHEN 'c'
        THEN json_build_object('name', k.conname, 'kind', k.contype, 'definition', pg_get_constraintdef(k.oid))
        ELSE json_build_object('name', k.conname, 'kind', k.contype, 'definition', pg_get_constraintdef(k.oid),
          'attnums', k.conkey, 'references', json_build_object('oid', k.confrelid::int8, 'attnums', k.confkey),
          'onUpdate', k.confupdtype, 'onDelete', k.confdeltype) END
        ORDER BY k.contype, k.conname COLLATE "C"), '[]')
      FROM pg_constraint k WHERE k.conrelid = c.oid AND k.contype IN ('f', 'c'))
  ) AS definition
  FROM publication, published t JOIN pg_class c ON c.oid = t.relid JOIN pg_namespace n ON n.oid = c.relnamespace
  CROSS JOIN LATERAL (
    -- `joined`: the transactions by which it, and each partitioned table between, is where it is.
    SELECT coalesce(array_agg(below.oid), '{}') AS descendants, coalesce(array_agg(below.joined), '{}') AS joined FROM (
      WITH RECURSIVE below (oid, joined) AS (
        SELECT i.inhrelid, i.xmin::text FROM pg_inherits i
        WHERE c.relkind = 'p' AND i.inhparent = c.oid AND NOT i.inhdetachpending
        UNION ALL
        SELECT i.inhrelid, below.joined || ' ' || i.xmin::text
        FROM below JOIN pg_inherits i ON i.inhparent = below.oid AND NOT i.inhdetachpending
      ) SELECT * FROM below) below
  ) tree
  CROSS JOIN LATERAL (
    SELECT CASE c.relkind WHEN 'p' THEN coalesce(json_agg(leaf.oid::int8 ORDER BY leaf.oid), '[]') END AS oids,
      CASE c.relkind WHEN 'p' THEN
        coalesce(json_agg(json_build_array(coalesce(pg_relation_filenode(leaf.oid), 0)::int8, d.joined) ORDER BY leaf.oid), '[]') END AS facts
    FROM unnest(tree.descendants, tree.joined) d (oid, joined)
    JOIN pg_class leaf ON leaf.oid = d.oid AND leaf.relkind = 'r' AND leaf.relpersistence = 'p'
  ) leaves
  ORDER BY n.nspname COLLATE "C", c.relname COLLATE "C"
$tables$;

-- Types with a modifier, down to what their values consist of at last. `next` is what a domain is over, an array's element, a
-- range's subtype. A true array is the one that its element calls its array: int2vector, point and name have elements as well
-- but print otherwise.
CREATE OR REPLACE FUNCTION wal2dolt.types(types oid[], typmods int4[])
RETURNS TABLE (definition json)
LANGUAGE sql STABLE AS $types$
  WITH RECURSIVE used (oid, typmod) AS (
    SELECT * FROM unnest($1::oid[], $2::int4[])
    UNION
    SELECT inner_type.oid, inner_type.typmod
    FROM used JOIN pg_type t ON t.oid = used.oid, LATERAL (
      SELECT t.typbasetype, t.typtypmod WHERE t.typtype = 'd'
      UNION ALL SELECT e.oid, used.typmod FROM pg_type e WHERE e.oid = t.typelem AND e.typarray = t.oid
      UNION ALL SELECT r.rngsubtype, -1 FROM pg_range r WHERE r.rngtypid = t.oid
      UNION ALL SELECT r.rngtypid, -1 FROM pg_range r WHERE r.rngmultitypid = t.oid
      UNION ALL SELECT a.atttypid, a.atttypmod FROM pg_attribute a
        WHERE t.typtype = 'c' AND a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped
    ) inner_type (oid, typmod)
  )
  SELECT json_build_object(
    'oid', u.oid::int8, 'typmod', u.typmod, 'name', format_type(u.oid, u.typmod), 'typname', t.typname,
    'typtype', t.typtype, 'delimiter', t.typdelim, 'builtin', t.typnamespace = 'pg_catalog'::regnamespace,
    'next', CASE
      WHEN t.typtype = 'd' THEN json_build_array(t.typbasetype::int8, t.typtypmod)
      WHEN e.oid IS NOT NULL THEN json_build_array(e.oid::int8, u.typmod)
      WHEN t.typtype = 'r' THEN (SELECT json_build_array(r.rngsubtype::int8, -1) FROM pg_range r WHERE r.rngtypid = t.oid)
      WHEN t.typtype = 'm' THEN (SELECT json_build_array(r.rngtypid::int8, -1) FROM pg_range r WHERE r.rngmultitypid = t.oid) END,
    'labels', CASE t.typtype WHEN 'e' THEN (
      SELECT coalesce(json_agg(json_build_object('oid', l.oid::int8, 'label', l.enumlabel) ORDER BY l.enumsortorder), '[]')
      FROM pg_enum l WHERE l.enumtypid = t.oid) END,
    'attributes', CASE t.typtype WHEN 'c' THEN (
      SELECT coalesce(json_agg(json_build_array(a.attnum, a.atttypid::int8, a.atttypmod) ORDER BY a.attnum), '[]')
      FROM pg_attribute a WHERE a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped) END) AS definition
  FROM used u JOIN pg_type t ON t.oid = u.oid LEFT JOIN pg_type e ON e.oid = t.typelem AND e.typarray = t.oid
$types$;

-- The tables whose definition, or the text of whose values, depends on the objects (catalog and oid, as in pg_depend): with
-- the tables that inherit from them, and the partitioned tables that they are part of. Temporary tables are none.
CREATE OR REPLACE FUNCTION wal2dolt.touched(catalogs oid[], objects oid[]) RETURNS oid[]
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $touched$
BEGIN RETURN (
  WITH RECURSIVE object (classid, oid) AS (
    SELECT * FROM unnest(catalogs, objects)
    UNION ALL
    SELECT d.classid, d.objid FROM unnest(catalogs, objects) o (classid, oid) JOIN pg_depend d
      ON o.classid = 'pg_extension'::regclass AND d.refclassid = o.classid AND d.refobjid = o.oid AND d.deptype = 'e'
  ), type (oid) AS (
    SELECT * FROM (
      SELECT oid FROM object WHERE classid = 'pg_type'::regclass
      UNION ALL SELECT c.reltype FROM object o JOIN pg_class c ON o.classid = 'pg_class'::regclass AND c.oid = o.oid
      UNION ALL SELECT k.contypid FROM object o JOIN pg_constraint k ON o.classid = 'pg_constraint'::regclass AND k.oid = o.oid
      UNION ALL SELECT t.oid FROM object o JOIN pg_type t ON o.classid = 'pg_namespace'::regclass AND t.typnamespace = o.oid
    ) changed
    UNION
    SELECT CASE d.classid WHEN 'pg_type'::regclass THEN d.objid ELSE c.reltype END
    FROM type JOIN pg_depend d ON d.refclassid = 'pg_type'::regclass AND d.refobjid = type.oid
    LEFT JOIN pg_class c ON d.classid = 'pg_class'::regclass AND c.oid = d.objid
    WHERE d.classid IN ('pg_type'::regclass, 'pg_class'::regclass)
  ), direct (oid) AS (
    SELECT oid FROM object WHERE classid = 'pg_class'::regclass
    UNION ALL SELECT i.indrelid FROM object o JOIN pg_index i ON o.classid = 'pg_class'::regclass AND i.indexrelid = o.oid
    UNION ALL SELECT k.conrelid FROM object o JOIN pg_constraint k ON o.classid = 'pg_constraint'::regclass AND k.oid = o.oid
    UNION ALL SELECT c.oid FROM object o JOIN pg_class c ON o.classid = 'pg_namespace'::regclass AND c.relnamespace = o.oid
    UNION ALL SELECT d.objid FROM type JOIN pg_depend d
      ON d.refclassid = 'pg_type'::regclass AND d.refobjid = type.oid AND d.classid = 'pg_class'::regclass
  ), below (oid) AS (
    SELECT oid FROM direct
    UNION SELECT i.inhrelid FROM below JOIN pg_inherits i ON i.inhparent = below.oid
  ), above (oid) AS (
    SELECT oid FROM direct
    UNION SELECT i.inhparent FROM above JOIN pg_class c ON c.oid = above.oid AND c.relispartition
      JOIN pg_inherits i ON i.inhrelid = above.oid
  )
  SELECT coalesce(array_agg(c.oid ORDER BY c.oid), '{}')
  FROM (SELECT oid FROM below UNION SELECT oid FROM above) o JOIN pg_class c USING (oid)
  WHERE c.relkind IN ('r', 'p') AND c.relpersistence <> 't'
); END
$touched$;

-- What one command did, for one publication. `change`: {tag, command, user, settings, touched, created, rewritten (oids),
-- dropped, droppedIndexes, complete}. NULL where nothing of it matters. The shape is that of postgres/ddl-message.ts.
-- The settings are those that decide how definitions print.
CREATE OR REPLACE FUNCTION wal2dolt.message(publication name, change jsonb) RETURNS text
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp SET quote_all_identifiers = off SET standard_conforming_strings = on
SET DateStyle = 'ISO' SET IntervalStyle = 'postgres' SET TimeZone = 'UTC' SET extra_float_digits = 3
SET bytea_output = 'hex' SET lc_monetary = 'C'
AS $message$
DECLARE
  whole boolean := (change ->> 'complete')::boolean;
  touched oid[] := ARRAY(SELECT jsonb_array_elements_text(change -> 'touched')::oid);
  defined json;
  found oid[];
  seen pg_snapshot;
  unpublished json;
  types json;
BEGIN
  SELECT json_agg(json_build_object('definition', t.definition,
      'created', change -> 'created' @> to_jsonb(t.relid::int8),
      -- The rows of a partitioned table are those of its partitions.
      'rewritten', change -> 'rewritten' @> to_jsonb(t.relid::int8) OR EXISTS (
        SELECT FROM json_array_elements_text(CASE t.definition ->> 'kind' WHEN 'p' THEN t.definition -> 'partitions' ELSE '[]' END) leaf
        WHERE change -> 'rewritten' @> to_jsonb(leaf::int8)))),
    array_agg(t.relid), pg_current_snapshot()
  INTO defined, found, seen
  FROM wal2dolt.tables(message.publication, CASE WHEN NOT whole THEN touched END) t;

  SELECT json_agg(json_build_object('oid', c.oid::int8, 'schema', n.nspname, 'name', c.relname,
    'created', change -> 'created' @> to_jsonb(c.oid::int8)))
  INTO unpublished
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE c.oid = ANY (touched) AND c.oid <> ALL (coalesce(found, '{}'));

  IF NOT whole AND found IS NULL AND jsonb_array_length(change -> 'dropped') = 0
    AND jsonb_array_length(change -> 'droppedIndexes') = 0
    AND NOT EXISTS (SELECT FROM json_array_elements(unpublished) u WHERE NOT (u ->> 'created')::boolean)
  THEN
    RETURN NULL;
  END IF;

  SELECT json_agg(t.definition) INTO types FROM (
    SELECT array_agg(a.atttypid) AS oids, array_agg(a.atttypmod) AS typmods
    FROM (SELECT DISTINCT atttypid, atttypmod FROM pg_attribute
      WHERE attrelid = ANY (found) AND attnum > 0 AND NOT attisdropped) a
  ) used, wal2dolt.types(used.oids, used.typmods) t;

  RETURN json_build_object('publication', message.publication, 'tag', change -> 'tag', 'command', change -> 'command',
    'user', change -> 'user', 'settings', change -> 'settings', 'seen', seen, 'complete', whole,
    'leavesOut', coalesce((SELECT to_json(array_remove(ARRAY[CASE WHEN NOT pubinsert THEN 'insert' END,
        CASE WHEN NOT pubupdate THEN 'update' END, CASE WHEN NOT pubdelete THEN 'delete' END,
        CASE WHEN NOT pubtruncate THEN 'truncate' END], NULL))
      FROM pg_publication WHERE whole AND pubname = message.publication), '[]'),
    'tables', coalesce(defined, '[]'), 'types', coalesce(types, '[]'), 'unpublished', coalesce(unpublished, '[]'),
    'dropped', change -> 'dropped', 'droppedIndexes', change -> 'droppedIndexes', 'failure', NULL);
END
$message$;

-- Whether a query sees the newest catalog. By isolation level repeatable read it sees that of the transaction's beginning and
-- what the transaction did itself; which is the newest if nobody else has committed since.
CREATE OR REPLACE FUNCTION wal2dolt.is_current() RETURNS boolean
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $is_current$
DECLARE
  seen pg_snapshot := pg_current_snapshot();
  xid xid8 := pg_snapshot_xmax(seen);
BEGIN
  IF current_setting('transaction_isolation') IN ('read committed', 'read uncommitted') THEN
    RETURN true;
  END IF;
  IF EXISTS (SELECT FROM pg_snapshot_xip(seen) running WHERE pg_xact_status(running) = 'committed') THEN
    RETURN false;
  END IF;
  FOR i IN 1..1000 LOOP
    IF pg_xact_status(xid) = 'committed' THEN
      RETURN false;
    END IF;
    xid := (xid::text::numeric + 1)::text::xid8;
  END LOOP;
  RETURN false;
EXCEPTION WHEN invalid_parameter_value THEN
  RETURN true; -- that is not begun yet
END
$is_current$;

-- The messages about the command that has just ended, one for each followed publication that it matters to. Does not wait for
-- somebody who has locked a table, which printing a default does. All that is read is found by an index, and the plans for it
-- are kept; the planner, which takes a recursive query for a large one, would read whole catalogs.
CREATE OR REPLACE FUNCTION wal2dolt.messages(tag text) RETURNS text[]
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET lock_timeout = '20ms'
SET plan_cache_mode = force_generic_plan SET jit = off SET max_parallel_workers_per_gather = 0
SET enable_nestloop = on SET enable_indexscan = on SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $messages$
DECLARE
  -- What the other two triggers noted of it.
  notes jsonb := coalesce(nullif(current_setting('wal2dolt.dropped', true), ''), '{}');
  rewritten jsonb := '[' || coalesce(current_setting('wal2dolt.rewritten', true), '') || ']';
  catalogs oid[];
  objects oid[];
  altered oid[];
  created oid[];
  change jsonb;
  messages text[];
BEGIN
  IF notes <> '{}' THEN PERFORM set_config('wal2dolt.dropped', '', true); END IF;
  IF rewritten <> '[]' THEN PERFORM set_config('wal2dolt.rewritten', '', true); END IF;
  IF notes ? 'failure' THEN RAISE EXCEPTION 'what was dropped is not known: %', notes ->> 'failure'; END IF;

  SELECT array_agg(o.catalog), array_agg(o.oid), array_agg(o.oid) FILTER (WHERE o.catalog = 'pg_publication'::regclass),
    array_agg(o.oid) FILTER (WHERE o.created)
  INTO catalogs, objects, altered, created
  FROM (
    SELECT CASE WHEN r.oid IS NOT NULL THEN 'pg_class'::regclass WHEN n.oid IS NOT NULL THEN 'pg_namespace'::regclass ELSE c.classid END AS catalog,
      coalesce(r.prrelid, n.pnnspid, c.objid) AS oid,
      c.command_tag IN ('CREATE TABLE', 'CREATE TABLE AS', 'SELECT INTO') AND c.object_type = 'table' AS created
    FROM pg_event_trigger_ddl_commands() c
    LEFT JOIN pg_publication_rel r ON c.classid = 'pg_publication_rel'::regclass AND r.oid = c.objid
    LEFT JOIN pg_publication_namespace n ON c.classid = 'pg_publication_namespace'::regclass AND n.oid = c.objid
    WHERE c.classid IS NOT NULL AND c.schema_name IS DISTINCT FROM 'pg_temp'
      AND (c.command_tag <> 'COMMENT' OR c.object_type IN ('table', 'table column'))
      AND (c.classid <> 'pg_namespace'::regclass OR c.command_tag = 'ALTER SCHEMA')
    UNION ALL
    SELECT (o ->> 0)::oid, (o ->> 1)::oid, false FROM jsonb_array_elements(notes -> 'objects') o
  ) o;
  -- Of DETACH PARTITION, Postgres names the partitioned table only. The partition is among those that are locked.
  IF tag = 'ALTER TABLE' AND EXISTS (SELECT FROM pg_class WHERE oid = ANY (objects) AND relkind = 'p') THEN
    SELECT catalogs || array_agg('pg_class'::regclass::oid), objects || array_agg(relation) INTO catalogs, objects
    FROM pg_locks
    WHERE pid = pg_backend_pid() AND mode = 'AccessExclusiveLock'
      AND locktype = 'relation' AND database = (SELECT oid FROM pg_database WHERE datname = current_database());
  END IF;
  IF objects IS NULL AND notes = '{}' AND tag NOT LIKE '%PUBLICATION' THEN
    RETURN NULL;
  END IF;

  IF NOT wal2dolt.is_current() THEN
    RAISE EXCEPTION 'by its isolation level, the transaction may see an older catalog';
  END IF;

  change := jsonb_build_object(
    'tag', tag, 'command', wal2dolt.without_password(current_query()),
    'user', coalesce(nullif(current_setting('role', true), 'none'), session_user),
    'settings', (SELECT jsonb_object_agg(name, current_setting(name))
      FROM unnest('{DateStyle,IntervalStyle,TimeZone,extra_float_digits,bytea_output,lc_monetary,xmloption}'::text[]) name),
    'touched', to_jsonb(wal2dolt.touched(catalogs, objects)::int8[]), 'created', to_jsonb(coalesce(created, '{}')::int8[]),
    'rewritten', rewritten, 'dropped', coalesce(notes -> 'dropped', '[]'), 'droppedIndexes', coalesce(notes -> 'indexes', '[]'));
  IF jsonb_array_length(change -> 'touched') = 0 AND jsonb_array_length(change -> 'dropped') = 0
    AND jsonb_array_length(change -> 'droppedIndexes') = 0 AND tag NOT LIKE '%PUBLICATION'
  THEN
    RETURN NULL;
  END IF;

  SELECT array_agg(m.message) INTO messages FROM (
    SELECT wal2dolt.message(f.publication, change || jsonb_build_object('complete', f.complete)) AS message FROM (
      SELECT f.publication, p.oid,
        coalesce(p.oid = ANY (altered), false) OR coalesce(notes -> 'publications' ? f.publication, false)
          OR p.oid IS NULL AND tag LIKE '%PUBLICATION' AS complete
      FROM unnest(wal2dolt.followed()) f (publication) LEFT JOIN pg_publication p ON p.pubname = f.publication
    ) f WHERE f.oid IS NOT NULL OR f.complete
  ) m WHERE m.message IS NOT NULL;
  -- Who reads the stream has all of it in memory.
  IF EXISTS (SELECT FROM unnest(messages) m WHERE octet_length(m) > 64 * 1024 * 1024) THEN
    RAISE EXCEPTION 'the definitions are too large for a message';
  END IF;
  RETURN messages;
END
$messages$;

-- The text of a command without what may be a password, and shortened: one that ends with ... is not whole.
CREATE OR REPLACE FUNCTION wal2dolt.without_password(command text) RETURNS text
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $without_password$
  SELECT CASE WHEN length(said) > 16384 THEN left(said, 16381) || '...' ELSE said END
  FROM regexp_replace(command, E'(password(\\s*=|[^;=''$]*[''$])).*', E'\\1...', 'i') said
$without_password$;

-- The emergency switch.
CREATE OR REPLACE FUNCTION wal2dolt.is_disabled() RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $is_disabled$
  SELECT coalesce(lower(current_setting('wal2dolt.disabled', true)) IN ('on', 'true', 'yes', '1'), false)
$is_disabled$;

CREATE OR REPLACE FUNCTION wal2dolt.on_ddl() RETURNS event_trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $on_ddl$
DECLARE
  allowed boolean := false;
  failure jsonb;
  messages bytea[];
  message bytea;
BEGIN
  BEGIN
    IF wal2dolt.is_disabled() THEN
      RETURN;
    END IF;
    allowed := (SELECT has_function_privilege(p.oid, 'EXECUTE') FROM pg_proc p
      WHERE p.pronamespace = 'pg_catalog'::regnamespace AND p.proname = 'pg_logical_emit_message' AND p.proargtypes[2] = 'bytea'::regtype);
    -- A database of the encoding SQL_ASCII may hold what can not be converted.
    messages := ARRAY(SELECT convert_to(m, 'UTF8') FROM unnest(wal2dolt.messages(tg_tag)) m);
  EXCEPTION WHEN OTHERS THEN
    -- Rows that Postgres wrote anew would never be told.
    failure := json_build_object('tag', tg_tag,
      'rewritten', ARRAY(SELECT m[1]::int8 FROM regexp_matches(current_setting('wal2dolt.rewritten', true), '[0-9]{1,10}', 'g') m),
      'failure', format('%s [%s]',
        CASE getdatabaseencoding() WHEN 'SQL_ASCII' THEN regexp_replace(sqlerrm, E'[^\\x01-\\x7E]', '?', 'g') ELSE sqlerrm END, sqlstate));
    -- What was noted is not for the next command.
    PERFORM set_config('wal2dolt.dropped', '', true), set_config('wal2dolt.rewritten', '', true);
    BEGIN
      messages := ARRAY(SELECT convert_to((failure || jsonb_build_object('publication', publication))::text, 'UTF8')
        FROM unnest(wal2dolt.followed()) publication);
    EXCEPTION WHEN OTHERS THEN
      messages := ARRAY[convert_to(failure::text, 'UTF8')];
    END;
  END;
  -- Outside of the block: inside, it would cost the transaction an xid for each command.
  IF allowed THEN
    FOREACH message IN ARRAY messages LOOP
      PERFORM pg_logical_emit_message(true, 'wal2dolt.ddl', message);
    END LOOP;
  END IF;
END
$on_ddl$;

-- Notes what goes with a command that drops something, for the trigger above, which comes right after.
CREATE OR REPLACE FUNCTION wal2dolt.on_drop() RETURNS event_trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_generic_plan
SET jit = off SET enable_nestloop = on SET enable_indexscan = on SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
AS $on_drop$
DECLARE
  notes jsonb;
BEGIN
  IF wal2dolt.is_disabled() THEN
    RETURN;
  END IF;
  SELECT jsonb_build_object(
      'dropped', coalesce(jsonb_agg(jsonb_build_object('oid', o.objid::int8, 'schema', o.schema_name, 'name', o.object_name))
        FILTER (WHERE o.object_type = 'table'), '[]'),
      'indexes', coalesce(jsonb_agg(jsonb_build_object('schema', o.schema_name, 'name', o.object_name))
        FILTER (WHERE o.object_type = 'index' AND o.schema_name <> 'pg_toast'), '[]'),
      'publications', coalesce(jsonb_agg(o.object_name) FILTER (WHERE o.object_type = 'publication'), '[]'),
      -- What is left of it: the table of a column, default or constraint, the table or schema that a publication had.
      'objects', coalesce(jsonb_agg(jsonb_build_array(o.catalog::oid::int8, o.oid::int8)) FILTER (WHERE o.oid IS NOT NULL), '[]'))
  INTO notes
  FROM (
    SELECT d.*, CASE WHEN n.oid IS NULL THEN 'pg_class'::regclass ELSE 'pg_namespace'::regclass END AS catalog,
      coalesce(n.oid, c.oid, CASE WHEN d.classid = 'pg_class'::regclass AND d.objsubid <> 0 THEN d.objid END) AS oid
    FROM pg_event_trigger_dropped_objects() d
    LEFT JOIN pg_namespace n ON d.classid = 'pg_publication_namespace'::regclass AND n.nspname = d.address_names[1]
      AND d.address_args[1] = ANY (wal2dolt.followed())
    LEFT JOIN (pg_class c JOIN pg_namespace cn ON cn.oid = c.relnamespace)
      ON (d.classid IN ('pg_attrdef'::regclass, 'pg_constraint'::regclass)
        OR d.classid = 'pg_publication_rel'::regclass AND d.address_args[1] = ANY (wal2dolt.followed()))
      AND cn.nspname = d.address_names[1] AND c.relname = d.address_names[2]
    WHERE NOT d.is_temporary
  ) o
  HAVING count(*) FILTER (WHERE o.oid IS NOT NULL OR o.object_type IN ('table', 'index', 'publication')) > 0;
  IF notes IS NOT NULL THEN
    PERFORM set_config('wal2dolt.dropped', notes::text, true);
  END IF;
EXCEPTION WHEN OTHERS THEN
  -- The other trigger tells.
  PERFORM set_config('wal2dolt.dropped', jsonb_build_object('failure', format('%s [%s]', sqlerrm, sqlstate))::text, true);
END
$on_drop$;

CREATE OR REPLACE FUNCTION wal2dolt.on_rewrite() RETURNS event_trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $on_rewrite$
BEGIN
  IF wal2dolt.is_disabled() THEN
    RETURN;
  END IF;
  PERFORM set_config('wal2dolt.rewritten',
    concat_ws(',', nullif(current_setting('wal2dolt.rewritten', true), ''), pg_event_trigger_table_rewrite_oid()), true);
EXCEPTION WHEN OTHERS THEN
  NULL;
END
$on_rewrite$;

-- Always: also in a session that applies another server's changes (session_replication_role = replica). One that somebody has
-- switched off stays so.
DO $do$
DECLARE
  tags text := $tags$ 'ALTER DOMAIN', 'ALTER EXTENSION', 'ALTER INDEX', 'ALTER PUBLICATION', 'ALTER SCHEMA', 'ALTER TABLE', 'ALTER TYPE',
    'COMMENT', 'CREATE INDEX', 'CREATE PUBLICATION', 'CREATE SCHEMA', 'CREATE TABLE', 'CREATE TABLE AS', 'SELECT INTO',
    'DROP ACCESS METHOD', 'DROP AGGREGATE', 'DROP CAST', 'DROP COLLATION', 'DROP DOMAIN', 'DROP EXTENSION',
    'DROP FOREIGN DATA WRAPPER', 'DROP FOREIGN TABLE', 'DROP FUNCTION', 'DROP INDEX', 'DROP LANGUAGE', 'DROP MATERIALIZED VIEW',
    'DROP OPERATOR', 'DROP OPERATOR CLASS', 'DROP OPERATOR FAMILY', 'DROP OWNED', 'DROP PROCEDURE', 'DROP PUBLICATION',
    'DROP ROUTINE', 'DROP SCHEMA', 'DROP SEQUENCE', 'DROP SERVER', 'DROP TABLE', 'DROP TEXT SEARCH CONFIGURATION',
    'DROP TEXT SEARCH DICTIONARY', 'DROP TEXT SEARCH PARSER', 'DROP TEXT SEARCH TEMPLATE', 'DROP TYPE', 'DROP VIEW' $tags$;
  off name[] := ARRAY(SELECT evtname FROM pg_catalog.pg_event_trigger WHERE pg_catalog.starts_with(evtname, 'wal2dolt_') AND evtenabled = 'D');
  trigger name;
BEGIN
  DROP EVENT TRIGGER IF EXISTS wal2dolt_ddl;
  DROP EVENT TRIGGER IF EXISTS wal2dolt_drop;
  DROP EVENT TRIGGER IF EXISTS wal2dolt_rewrite;
  EXECUTE 'CREATE EVENT TRIGGER wal2dolt_rewrite ON table_rewrite EXECUTE FUNCTION wal2dolt.on_rewrite()';
  EXECUTE 'CREATE EVENT TRIGGER wal2dolt_drop ON sql_drop WHEN TAG IN (' || tags || ') EXECUTE FUNCTION wal2dolt.on_drop()';
  EXECUTE 'CREATE EVENT TRIGGER wal2dolt_ddl ON ddl_command_end WHEN TAG IN (' || tags || ') EXECUTE FUNCTION wal2dolt.on_ddl()';
  FOREACH trigger IN ARRAY '{wal2dolt_ddl,wal2dolt_drop,wal2dolt_rewrite}'::name[] LOOP
    EXECUTE pg_catalog.format('ALTER EVENT TRIGGER %I %s', trigger, CASE WHEN trigger = ANY (off) THEN 'DISABLE' ELSE 'ENABLE ALWAYS' END);
  END LOOP;
END
$do$;

COMMENT ON SCHEMA wal2dolt IS 'wal2dolt, version 1: see wal2dolt.sql';

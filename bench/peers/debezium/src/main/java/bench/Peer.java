package bench;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;

import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.metrics.PluginMetrics;
import org.apache.kafka.common.record.TimestampType;
import org.apache.kafka.connect.sink.SinkRecord;
import org.apache.kafka.connect.sink.SinkTaskContext;
import org.apache.kafka.connect.source.SourceRecord;

import io.debezium.connector.jdbc.JdbcSinkConnectorTask;
import io.debezium.embedded.Connect;
import io.debezium.engine.ChangeEvent;
import io.debezium.engine.DebeziumEngine;

/**
 * Debezium's PostgreSQL connector and Debezium's JDBC sink in one JVM, with nothing in between: what somebody would take who
 * has no Kafka. Each batch of the engine is one put() of the sink, and then acknowledged. Streams from an existing slot,
 * without a snapshot, until so many rows (EXPECT) were written.
 *
 * Says `ready` with the first batch, `written` after the last one: a line each on standard output.
 */
public final class Peer {
    private static final long GIVE_UP_SECONDS = 1800;

    public static void main(String[] args) throws Exception {
        final long expected = Long.parseLong(need("EXPECT"));
        final Properties source = properties(
                "name", "peer",
                "connector.class", "io.debezium.connector.postgresql.PostgresConnector",
                "offset.storage", "org.apache.kafka.connect.storage.MemoryOffsetBackingStore",
                "offset.flush.interval.ms", "1000",
                "topic.prefix", "cdc",
                "database.hostname", need("PG_HOST"),
                "database.port", need("PG_PORT"),
                "database.user", need("PG_USER"),
                "database.password", need("PG_PASSWORD"),
                "database.dbname", need("PG_DB"),
                "plugin.name", "pgoutput",
                "slot.name", need("SLOT"),
                "publication.name", need("PUBLICATION"),
                "publication.autocreate.mode", "disabled",
                "snapshot.mode", "no_data",
                "max.batch.size", "2048",
                "max.queue.size", "8192",
                "poll.interval.ms", "5",
                "tombstones.on.delete", "false");
        final Map<String, String> sink = new HashMap<>();
        properties(
                "name", "peer-sink",
                "topics", "cdc",
                "connection.url", "jdbc:mysql://127.0.0.1:" + need("DOLT_PORT") + "/" + need("DOLT_DB")
                        + "?rewriteBatchedStatements=true&connectionTimeZone=UTC&useServerPrepStmts=false&nullDatabaseMeansCurrent=true",
                "connection.username", "root",
                "connection.password", "",
                "insert.mode", "upsert",
                "delete.enabled", "true",
                "truncate.enabled", "true",
                "primary.key.mode", "record_key",
                "schema.evolution", "basic",
                "batch.size", "2000",
                "use.reduction.buffer", "true",
                "quote.identifiers", "false",
                "collection.name.format", "${source.table}").forEach((name, value) -> sink.put((String) name, (String) value));

        // A sink has one way for all tables, and that for those with a key takes none without.
        final Map<String, String> keylessSink = new HashMap<>(sink);
        properties(
                "name", "peer-sink-keyless",
                "insert.mode", "insert",
                "delete.enabled", "false",
                "primary.key.mode", "none",
                "use.reduction.buffer", "false").forEach((name, value) -> keylessSink.put((String) name, (String) value));
        final JdbcSinkConnectorTask keyed = started(sink);
        final JdbcSinkConnectorTask keyless = started(keylessSink);

        final AtomicLong written = new AtomicLong();
        final AtomicReference<String> failure = new AtomicReference<>();
        final Map<String, Long> offsets = new HashMap<>();
        final DebeziumEngine<ChangeEvent<SourceRecord, SourceRecord>> engine = DebeziumEngine.create(Connect.class)
                .using(source)
                .using((success, message, error) -> {
                    if (!success) failure.compareAndSet(null, message + " / " + error);
                })
                .notifying((records, committer) -> {
                    if (written.get() == 0) say("ready");
                    final List<SinkRecord> withKey = new ArrayList<>(records.size());
                    final List<SinkRecord> withoutKey = new ArrayList<>();
                    for (ChangeEvent<SourceRecord, SourceRecord> event : records) {
                        final SourceRecord r = event.value();
                        if (r.topic().startsWith("__debezium")) continue;
                        final long offset = offsets.merge(r.topic(), 1L, Long::sum);
                        final List<SinkRecord> batch = r.keySchema() == null ? withoutKey : withKey;
                        batch.add(new SinkRecord(r.topic(), 0, r.keySchema(), r.key(), r.valueSchema(), r.value(), offset,
                                System.currentTimeMillis(), TimestampType.CREATE_TIME, r.headers()));
                    }
                    put(keyed, withKey);
                    put(keyless, withoutKey);
                    for (ChangeEvent<SourceRecord, SourceRecord> event : records) committer.markProcessed(event);
                    committer.markBatchFinished();
                    written.addAndGet(withKey.size() + withoutKey.size());
                })
                .build();
        final ExecutorService executor = Executors.newSingleThreadExecutor();
        executor.execute(engine);
        final long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(GIVE_UP_SECONDS);
        while (failure.get() == null && written.get() < expected && System.nanoTime() < end) Thread.sleep(5);
        if (failure.get() == null && written.get() >= expected) say("written");
        else System.err.println(failure.get() == null ? "only " + written.get() + " rows came" : failure.get());
        // What it still has to tidy up does not matter: its slot is dropped.
        Runtime.getRuntime().halt(failure.get() == null && written.get() >= expected ? 0 : 1);
    }

    private static JdbcSinkConnectorTask started(Map<String, String> settings) {
        final JdbcSinkConnectorTask task = new JdbcSinkConnectorTask();
        task.initialize(new Context(settings));
        task.start(settings);
        return task;
    }

    /** What is thrown ends the engine, which says what it was. */
    private static void put(JdbcSinkConnectorTask task, List<SinkRecord> batch) {
        if (batch.isEmpty()) return;
        task.put(batch);
        if (task.getLastProcessingException() != null) throw new IllegalStateException(task.getLastProcessingException());
    }

    private static void say(String line) {
        System.out.println(line);
        System.out.flush();
    }

    private static String need(String name) {
        final String value = System.getenv(name);
        if (value == null) throw new IllegalArgumentException(name + " is missing");
        return value;
    }

    private static Properties properties(String... pairs) {
        final Properties properties = new Properties();
        for (int i = 0; i < pairs.length; i += 2) properties.setProperty(pairs[i], pairs[i + 1]);
        return properties;
    }

    /** All that the JDBC sink asks for are the settings. */
    private static final class Context implements SinkTaskContext {
        private final Map<String, String> settings;

        Context(Map<String, String> settings) {
            this.settings = settings;
        }

        @Override
        public Map<String, String> configs() {
            return settings;
        }

        @Override
        public Set<TopicPartition> assignment() {
            return new HashSet<>();
        }

        @Override
        public void offset(Map<TopicPartition, Long> offsets) {
        }

        @Override
        public void offset(TopicPartition partition, long offset) {
        }

        @Override
        public void timeout(long milliseconds) {
        }

        @Override
        public void pause(TopicPartition... partitions) {
        }

        @Override
        public void resume(TopicPartition... partitions) {
        }

        @Override
        public void requestCommit() {
        }

        @Override
        public PluginMetrics pluginMetrics() {
            return null;
        }
    }
}

import pg from 'pg';
import type { LogicalReplicationService } from 'pg-logical-replication';

/**
 * Makes the library connect with a listener for errors in place. It attaches its own when the connection stands, and a
 * server that ends the connection in that moment sends both in one packet: an error without a listener ends the process.
 */
export function listenFromTheStart(service: LogicalReplicationService, connection: pg.ClientConfig): void {
  // Private by their type only; seen in version 2.5.0, which package.json pins.
  const internals = service as unknown as {
    client: () => Promise<readonly [pg.Client, pg.Connection]>;
    _client: pg.Client;
    _connection: pg.Connection;
  };
  internals.client = async () => {
    const client = new pg.Client({ ...connection, replication: 'database' } as pg.ClientConfig); // its type lacks `replication`
    client.on('error', (error) => service.emit('error', error));
    internals._client = client;
    await client.connect();
    internals._connection = client.connection;
    return [client, client.connection];
  };
}

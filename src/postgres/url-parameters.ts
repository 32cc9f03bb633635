/**
 * The parameters that a URL for libpq may have, and those of the driver beside them. It ignores what it does not know,
 * so that a slip (`sslmod=require`) would mean a connection without TLS, as libpq does not allow.
 * Source: https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-PARAMKEYWORDS
 */
const PARAMETERS = new Set(
  `host hostaddr port dbname user password passfile require_auth channel_binding connect_timeout client_encoding options
  application_name fallback_application_name keepalives keepalives_idle keepalives_interval keepalives_count
  tcp_user_timeout replication gssencmode sslmode requiressl sslnegotiation sslcompression sslcert sslkey sslkeylogfile
  sslpassword sslcertmode sslrootcert sslcrl sslcrldir sslsni requirepeer ssl_min_protocol_version
  ssl_max_protocol_version min_protocol_version max_protocol_version krbsrvname gsslib gssdelegation scram_client_key
  scram_server_key service servicefile target_session_attrs load_balance_hosts
  oauth_issuer oauth_client_id oauth_client_secret oauth_scope
  ssl uselibpqcompat`.split(/\s+/),
);

/** Those that nobody knows: names only, since a value may be a password. */
export const unknownParameters = (params: URLSearchParams): string[] =>
  [...new Set(params.keys())].filter((name) => !PARAMETERS.has(name));

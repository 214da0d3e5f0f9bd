//! What a Redis of a test's own holds, and how much it may hold.

use deadpool_redis::redis::aio::MultiplexedConnection;
use deadpool_redis::redis::{Client, FromRedisValue, cmd};

use crate::redis::RedisServer;

/// A key and all that is kept under it: fields, members and values alike.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The key.
    pub key: Vec<u8>,
    /// What is kept under it.
    pub values: Vec<Vec<u8>>,
}

impl RedisServer {
    /// Lets it use so many bytes and no more.
    pub async fn limit_memory(&self, bytes: usize) {
        let bytes = bytes.to_string();
        let _: () = self.ask(&["CONFIG", "SET", "maxmemory", &bytes]).await;
    }

    /// How many keys there are.
    pub async fn keys(&self) -> usize {
        self.ask(&["DBSIZE"]).await
    }

    /// A figure of `INFO`, such as `used_memory`; 0 if it is not there.
    pub async fn figure(&self, section: &str, name: &str) -> usize {
        let info: String = self.ask(&["INFO", section]).await;
        let mut lines = info.lines().filter_map(|line| line.split_once(':'));
        let text = lines.find_map(|(found, text)| (found == name).then_some(text));
        let digits = text.map(|text| text.trim_start_matches("count="));
        digits.and_then(|digits| digits.parse().ok()).unwrap_or(0)
    }

    /// All that it holds.
    ///
    /// # Panics
    /// If it holds something of an unknown type.
    pub async fn contents(&self) -> Vec<Entry> {
        let mut connection = self.connect().await;
        let keys: Vec<Vec<u8>> = ask(&mut connection, &[b"KEYS", b"*"]).await;
        let mut contents = Vec::new();
        for key in keys {
            let kind: String = ask(&mut connection, &[b"TYPE", &key]).await;
            let read: &[&[u8]] = match kind.as_str() {
                "string" => &[b"GETRANGE", &key, b"0", b"-1"],
                "hash" => &[b"HGETALL", &key],
                "set" => &[b"SMEMBERS", &key],
                "list" => &[b"LRANGE", &key, b"0", b"-1"],
                "zset" => &[b"ZRANGE", &key, b"0", b"-1"],
                // It has expired since.
                "none" => continue,
                other => panic!("a key of type {other}"),
            };
            let values = if kind == "string" {
                vec![ask(&mut connection, read).await]
            } else {
                ask(&mut connection, read).await
            };
            contents.push(Entry { key, values });
        }
        contents
    }

    async fn ask<T: FromRedisValue>(&self, command: &[&str]) -> T {
        let parts: Vec<&[u8]> = command.iter().map(|part| part.as_bytes()).collect();
        ask(&mut self.connect().await, &parts).await
    }

    async fn connect(&self) -> MultiplexedConnection {
        let client = Client::open(self.url()).expect("a URL");
        let connection = client.get_multiplexed_async_connection().await;
        connection.expect("Redis answers")
    }
}

async fn ask<T: FromRedisValue>(connection: &mut MultiplexedConnection, command: &[&[u8]]) -> T {
    let (name, arguments) = command.split_first().expect("a command");
    let mut request = cmd(std::str::from_utf8(name).expect("a command's name"));
    for argument in arguments {
        request.arg(*argument);
    }
    let answer = request.query_async(connection).await;
    answer.unwrap_or_else(|error| panic!("{}: {error}", String::from_utf8_lossy(name)))
}

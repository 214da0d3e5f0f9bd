//! Guarantee 21, over the wire: no message crashes the server. Messages are made
//! by chance, always the same: bytes of any kind, and fields of any number, nested
//! and repeated, with texts that parsers have trouble with. The parsers of tokens
//! and identifiers have their own (`crates/token/tests/forgeries/arbitrary.rs`,
//! `crates/domain/tests/domain/identifiers.rs`).
//!
//! The long form, half a million messages:
//! `cargo test -p countersign-tests --test guarantee_21_nonsense -- --ignored`.

use countersign_proto::RPCS;
use countersign_tests::{Backend, Tally, World, on_a_backend, reason, say};
use futures_util::future::join_all;

/// How many calls there are at once.
const AT_ONCE: usize = 32;

#[test]
fn no_message_of_ten_thousand_crashes_the_server() {
    on_a_backend(Backend::Sqlite, |backend| talk(backend, 10_000));
}

#[test]
#[ignore = "half a million messages: minutes"]
fn no_message_of_half_a_million_crashes_the_server() {
    on_a_backend(Backend::Sqlite, |backend| talk(backend, 500_000));
}

async fn talk(backend: Backend, messages: usize) {
    let world = World::on(backend)
        .set("log.filter", "warn,countersign_server::announcement=info")
        .start()
        .await;
    let mina = world.sign_up().await;
    let tokens = mina.sign_in().await;
    // What opens doors, so that more than the first check is reached.
    let texts = [
        mina.email.clone(),
        mina.username.clone(),
        mina.user_id.clone(),
        tokens.access_token.clone(),
        tokens.refresh_token.clone(),
        tokens.session_id.clone(),
    ];
    let mut maker = Maker {
        chance: 0x9e37_79b9_7f4a_7c15,
        texts: texts.into_iter().map(String::into_bytes).collect(),
    };
    maker.texts.extend(ODD.iter().map(|odd| odd.to_vec()));
    let gateways = world.gateways(4);
    let mut outcomes = Tally::default();
    for turn in 0..messages / AT_ONCE {
        let calls = (0..AT_ONCE).map(|number| {
            let rpc = RPCS[(turn * AT_ONCE + number) % RPCS.len()];
            let gateway = gateways[number % gateways.len()].clone();
            let message = maker.message();
            async move { reason(&gateway.call(rpc.path, message).await) }
        });
        let calls: Vec<_> = calls.collect();
        for outcome in join_all(calls).await {
            outcomes.add(&outcome);
        }
    }
    let log = world.log().text(0);
    say!(
        "guarantee 21: {} messages to {} RPCs: {outcomes}",
        outcomes.total(),
        RPCS.len()
    );
    assert!(!log.contains("panic"), "{log}");
    for fault in ["INTERNAL", "no answer (Unknown)", "no answer (Unavailable)"] {
        assert_eq!(outcomes.count(fault), 0, "{fault}: {outcomes}\n{log}");
    }
    let afterwards = world.main_job(&world.sign_up().await).await;
    afterwards.assert_only(&["OK"]);
}

/// Texts that are hard to read, and some that are no texts.
const ODD: [&[u8]; 24] = [
    b"",
    b"\0",
    b"default",
    b"mina@example.com",
    b"@",
    b"a@b@c",
    b"+821012345678",
    b"+",
    b"010-1234-5678",
    b"01890a5d-ac96-774b-bcce-b302099a8057",
    b"csr_AAAA",
    b"csk_AAAA",
    b"csd_AAAA",
    b"....",
    b"eyJhbGciOiJub25lIn0.e30.",
    b"{\"id\":\"AA\",\"type\":\"public-key\",\"response\":{}}",
    b"{\"a\":[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]}",
    "\u{202e}mina\u{feff}".as_bytes(),
    "ｍｉｎａ＠ｅｘａｍｐｌｅ．ｃｏｍ".as_bytes(),
    "👩‍👩‍👧‍👦\u{301}\u{301}\u{301}".as_bytes(),
    "ΓΙΩΡΓΟΣ".as_bytes(),
    b"\xff\xfe\x00\xd8",
    b"https://shop.example/confirm#\r\nx: y",
    &[b'9'; 300],
];

/// Makes messages that look random and are always the same (xorshift64).
struct Maker {
    chance: u64,
    texts: Vec<Vec<u8>>,
}

impl Maker {
    fn below(&mut self, limit: usize) -> usize {
        self.chance ^= self.chance << 13;
        self.chance ^= self.chance >> 7;
        self.chance ^= self.chance << 17;
        usize::try_from(self.chance % limit as u64).expect("it is below")
    }

    fn message(&mut self) -> Vec<u8> {
        if self.below(8) == 0 {
            let length = self.below(200);
            return (0..length).map(|_| self.below(256) as u8).collect();
        }
        let mut message = self.fields(3);
        if self.below(10) == 0 && !message.is_empty() {
            let at = self.below(message.len());
            message[at] ^= 1 << self.below(8);
        }
        message
    }

    /// Fields as protobuf has them on the wire.
    fn fields(&mut self, depth: usize) -> Vec<u8> {
        let mut fields = Vec::new();
        for _ in 0..self.below(6) {
            let number = 1 + self.below(9);
            let kind = self.below(6);
            if kind == 0 {
                varint(&mut fields, (number << 3) as u64);
                let numbers = [0, 1, 2, 7, 300, u64::MAX, 1 << 63, 86_400];
                varint(&mut fields, numbers[self.below(numbers.len())]);
                continue;
            }
            let content = if kind < 3 && depth > 0 {
                self.fields(depth - 1)
            } else {
                let text = self.below(self.texts.len());
                self.texts[text].clone()
            };
            varint(&mut fields, (number << 3 | 2) as u64);
            varint(&mut fields, content.len() as u64);
            fields.extend(content);
        }
        fields
    }
}

fn varint(bytes: &mut Vec<u8>, mut number: u64) {
    while number >= 128 {
        bytes.push((number % 128) as u8 | 128);
        number /= 128;
    }
    bytes.push(number as u8);
}

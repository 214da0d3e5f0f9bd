//! Users, as operators and they themselves look after them, on every backend.

mod commands;
mod damaged;
mod erasures;
mod leaving;
mod lists;
mod profiles;
mod states;

use countersign_proto::v1;
use countersign_tests::World;

/// A mask of paths.
fn mask(paths: &[&str]) -> Option<prost_types::FieldMask> {
    Some(prost_types::FieldMask {
        paths: paths.iter().map(ToString::to_string).collect(),
    })
}

/// The time by the database's clock, and so many seconds more.
async fn in_seconds(world: &World, seconds: i64) -> Option<prost_types::Timestamp> {
    let now = world.backend().now_millis();
    let query = match world.backend() {
        countersign_tests::Backend::MariaDb => format!("SELECT CAST({now} AS CHAR)"),
        _ => format!("SELECT CAST({now} AS TEXT)"),
    };
    let now: i64 = world.texts(&query).await[0].parse().expect("a number");
    Some(prost_types::Timestamp {
        seconds: now / 1000 + seconds,
        nanos: 0,
    })
}

/// A change of a profile's name.
fn renaming(tokens: &v1::Tokens, name: &str, etag: &str) -> v1::UpdateProfileRequest {
    v1::UpdateProfileRequest {
        access_token: tokens.access_token.clone(),
        update_mask: mask(&["name"]),
        etag: etag.into(),
        profile: Some(v1::Profile {
            name: name.into(),
            ..Default::default()
        }),
    }
}

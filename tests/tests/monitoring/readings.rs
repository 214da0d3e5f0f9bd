//! The metrics follow what happens.

use countersign_proto::v1;
use countersign_tests::{
    Backend, Metrics, PASSWORD, PATIENCE, Step, World, comes_true, on_a_backend,
};

#[test]
fn caches_queues_pools_and_keys_are_read() {
    on_a_backend(Backend::Sqlite, async |backend| {
        let metrics = Metrics::somewhere().await;
        let world = World::on(backend)
            .set("metrics.listen", metrics.listen())
            .set("keys.rotation", "1h")
            .start()
            .await;
        let value = async |name: &str| metrics.value(name).await.expect(name);
        let hashes = value("countersign_password_hashes_total").await;
        let mina = world.sign_up().await;
        let tokens = mina.sign_in().await;
        assert!(value("countersign_password_hashes_total").await > hashes);
        let is_idle = async || value("countersign_password_hashing_running").await == 0.0;
        assert!(comes_true(PATIENCE, is_idle).await.is_some());
        assert_eq!(value("countersign_password_hashing_shed_total").await, 0.0);

        let misses = value("countersign_token_cache_misses_total").await;
        let validations = value("countersign_validations_total").await;
        for token in [&*tokens.access_token, &tokens.access_token, "no token"] {
            world.gateway().judge(token).await;
        }
        let cache = "countersign_token_cache";
        assert_eq!(value(&format!("{cache}_misses_total")).await - misses, 2.0);
        let more = value("countersign_validations_total").await - validations;
        assert_eq!(more, 3.0);
        assert!(value(&format!("{cache}_entries")).await >= 1.0);
        assert!(value(&format!("{cache}_capacity_entries")).await >= 1.0);

        let pool = "{pool=\"writer\"}";
        assert_eq!(
            value(&format!("countersign_database_connections_max{pool}")).await,
            1.0
        );
        let open = value("countersign_database_connections").await;
        let most = value("countersign_database_connections_max").await;
        assert!((1.0..=most).contains(&open), "{open} of {most}");
        let waits = format!("countersign_database_connection_wait_seconds_count{pool}");
        assert!(value(&waits).await >= 1.0);

        let sent = "countersign_messages_sent_total{kind=\"code\"}";
        let pending = world.gateway();
        let pending = pending.sign_up_unproven(&world.new_email(), PASSWORD).await;
        pending.expect("a code is on its way");
        // It is counted once that it was sent is written down.
        let is_counted = async || value(sent).await >= 1.0;
        assert!(comes_true(PATIENCE, is_counted).await.is_some());
        let rotation = value("countersign_signing_key_rotation_timestamp_seconds").await;
        let age = value("countersign_signing_key_age_seconds").await;
        let started = value("process_start_time_seconds").await;
        let until = rotation - started;
        assert!(
            (3000.0..=3700.0).contains(&until) && age < 600.0,
            "{until} {age}"
        );
        assert_eq!(
            value("countersign_signing_keys{state=\"active\"}").await,
            1.0
        );
        assert_eq!(value("countersign_build_info").await, 1.0);
    });
}

#[test]
fn messages_that_are_held_up_are_seen_in_the_outbox() {
    on_a_backend(Backend::Sqlite, async |backend| {
        let metrics = Metrics::somewhere().await;
        let world = World::on(backend).set("metrics.listen", metrics.listen());
        let world = world.start().await;
        world.refuse(Step::Claim).await;
        let identifier = countersign_tests::email(&world.new_email());
        let gateway = world.gateway();
        let sent = gateway.send_code(identifier, v1::Purpose::SignUp, "");
        sent.await.expect("queued");
        let waits = async || {
            metrics.value("countersign_outbox_messages").await == Some(1.0)
                && metrics
                    .value("countersign_outbox_oldest_message_age_seconds")
                    .await
                    > Some(1.0)
        };
        assert!(comes_true(PATIENCE, waits).await.is_some(), "it is seen");
        world.allow(Step::Claim).await;
        let is_gone = async || {
            metrics.value("countersign_outbox_messages").await == Some(0.0)
                && metrics
                    .value("countersign_outbox_oldest_message_age_seconds")
                    .await
                    == Some(0.0)
        };
        assert!(comes_true(PATIENCE, is_gone).await.is_some(), "it is sent");
    });
}

//! A proxy is told "it could not be told" where it cannot: never a wrong yes, never a
//! wrong no. Neither database nor Redis is asked meanwhile.

use std::time::Duration;

use countersign_tests::{
    Backend, Mode, PATIENCE, ProxiedRequest, World, eventually, on_every_shared_backend, reason,
};
use tokio::time::sleep;
use tonic::Code;

use crate::decide;

on_every_shared_backend!(without_its_database_and_redis_requests_pass_within_the_bound);

async fn without_its_database_and_redis_requests_pass_within_the_bound(backend: Backend) {
    let world = World::on(backend)
        .with_lines()
        .set("validation.feed_bound", "3s")
        .set("validation.poll_interval", "500ms")
        .start()
        .await;
    let gateway = world.gateway();
    let mina = world.sign_up().await;
    // One that was never seen: all of its verification needs neither.
    let token = mina.sign_in().await.access_token;
    let request = ProxiedRequest::with_token(&token);
    world.redis_line().set(Mode::Cut);
    world.database_line().set(Mode::Cut);
    assert!(decide(&gateway, &request).await.passes);
    sleep(Duration::from_secs(4)).await;
    for (request, is_told) in [
        (request.clone(), false),
        (ProxiedRequest::new(), true),
        (ProxiedRequest::with_token("garbage"), true),
    ] {
        let answer = gateway.check(&request).await;
        match is_told {
            true => assert!(!answer.expect("a no needs no database").passes),
            false => {
                assert_eq!(reason(&answer), "DEPENDENCY_UNAVAILABLE");
                assert_eq!(answer.expect_err("down").code(), Code::Unavailable);
            }
        }
    }
    world.database_line().set(Mode::Pass);
    let passes = || async { gateway.check(&request).await.ok()?.passes.then_some(()) };
    eventually("requests pass again", PATIENCE, passes).await;
}

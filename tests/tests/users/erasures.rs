//! Erasing beside what operators do at the same time: somebody is reinstated with all
//! that it had, or erased, and never something between.

use std::time::Duration;

use countersign_proto::v1;
use countersign_tests::{
    Backend, PASSWORD, PATIENCE, Person, Tally, World, crowd, eventually, on_every_backend, reason,
};
use futures_util::future::join;
use tonic::Status;

on_every_backend!(of_an_erasure_and_a_reinstatement_at_once_one_happens);

const PEOPLE: usize = 40;
/// All together, longer than a replica takes to start and to come to the job.
const BETWEEN_PEOPLE: Duration = Duration::from_millis(60);

async fn of_an_erasure_and_a_reinstatement_at_once_one_happens(backend: Backend) {
    let world = World::on(backend)
        .replicas(backend.replicas())
        .start()
        .await;
    let mut people = Vec::new();
    for _ in 0..PEOPLE {
        let mina = world.sign_up().await;
        let withdrawn = mina.gateway.withdraw(&mina.user_id).await;
        withdrawn.expect("withdrawn");
        people.push(mina);
    }
    // From its start on, to the last replica all of them are due.
    let last = world.replicas().len() - 1;
    world.change_setting(last, "users.retention", "0s");
    let eraser = world.replica(last);
    let outcomes = match last {
        0 => {
            eraser.restart().await;
            reinstate(&world, &people).await
        }
        _ => {
            let (outcomes, ()) = join(reinstate(&world, &people), eraser.restart()).await;
            outcomes
        }
    };
    let gateway = world.gateway();
    let mut heard = Tally::default();
    let (mut reinstated, mut erased) = (0, 0);
    for (at, outcome) in outcomes {
        heard.add(&reason(&outcome));
        let mina = people[at].at(&gateway);
        match outcome {
            Ok(_) => {
                reinstated += 1;
                is_whole(&mina).await;
            }
            Err(_) => {
                erased += 1;
                is_erased(&mina).await;
            }
        }
    }
    countersign_tests::say!(
        "users on {backend}, {} replica(s): {PEOPLE} who are reinstated while they are erased: \
         {heard}; whole afterwards {reinstated}, erased {erased}, something between 0",
        world.replicas().len()
    );
    heard.assert_only(&["OK", "USER_STATE_CONFLICT"]);
    // Whoever was reinstated stays so, whatever the job has read before.
    for mina in &people {
        let user = gateway.user(&mina.user_id).await.expect("shown");
        let is_settled = [v1::UserState::Active, v1::UserState::Erased].contains(&user.state());
        assert!(is_settled, "{:?}", user.state());
    }
}

/// Reinstates everybody by way of the first replica, the last who left first: the job
/// comes from the other end.
async fn reinstate(world: &World, people: &[Person]) -> Vec<(usize, Result<v1::User, Status>)> {
    let gateways: Vec<_> = (0..4).map(|_| world.gateway()).collect();
    crowd(PEOPLE, |member| {
        let gateway = gateways[member % gateways.len()].clone();
        let at = PEOPLE - 1 - member;
        let (id, wait) = (people[at].user_id.clone(), BETWEEN_PEOPLE * member as u32);
        async move {
            tokio::time::sleep(wait).await;
            (at, gateway.reinstate(&id).await)
        }
    })
    .await
}

/// Somebody has all that it had.
async fn is_whole(mina: &Person) {
    let user = mina.gateway.user(&mina.user_id).await.expect("shown");
    assert_eq!(user.state(), v1::UserState::Active);
    assert_eq!(user.identifiers.len(), 2);
    let signed_in = mina.try_password(PASSWORD).await;
    assert_eq!(signed_in.expect("the same password").user_id, mina.user_id);
}

/// Somebody is erased, or will be as soon as the job comes by.
async fn is_erased(mina: &Person) {
    let erased = || async {
        let user = mina.gateway.user(&mina.user_id).await.expect("shown");
        (user.state() == v1::UserState::Erased).then_some(user)
    };
    let (user, _) = eventually("erased", PATIENCE, erased).await;
    assert!(user.identifiers.is_empty(), "{:?}", user.identifiers);
    assert_eq!(
        reason(&mina.try_password(PASSWORD).await),
        "SIGN_IN_REFUSED"
    );
}

//! Notices: nobody who is signed in makes others pay for them without end, and
//! they are in nobody's way.

use std::time::Duration;

use countersign_domain::model::{Address, Locale, Password, Phone, Purpose};
use countersign_domain::ports::{Content, Message, SendError, Store as _, Users as _};
use countersign_domain::testing::{World, password, send_code};
use countersign_domain::use_cases::{ChangePassword, DeliverMessages};

const EMAIL: &str = "mina@example.com";
const PHONE: &str = "+821012345678";
const PASSWORDS: [&str; 2] = ["a long enough phrase", "another long phrase"];
const DAY: Duration = Duration::from_secs(86_400);

/// Somebody with an e-mail address and a phone number.
async fn mina() -> World {
    let world = World::new().await;
    let id = world.user(EMAIL, PASSWORDS[0]).await;
    let user = world.store.user(id).await;
    let user = user.expect("readable").expect("a user");
    let phone = Address::Phone(Phone::restore(PHONE).expect("a number"));
    let mut uow = world.store.begin().await.expect("begun");
    let given = uow.insert_identifier(&user, &phone.into()).await;
    given.expect("given");
    uow.commit().await.expect("committed");
    world.take_sent().await;
    world
}

/// Changes the password an even number of times, so that it is the same again.
async fn change_password(world: &World, times: usize) {
    for time in 0..times {
        let [current, new] = [time, time + 1].map(|at| PASSWORDS[at % 2]);
        let tokens = world.sign_in(EMAIL, current).await.expect("signed in");
        let change = ChangePassword {
            access_token: tokens.access_token,
            current: Password::to_compare(current.into()).expect("a password"),
            new: password(new),
            locale: Locale::English,
        };
        let changed = change.execute(&world.app).await;
        changed.expect("the change is never refused for its notices");
    }
}

/// How many went out by text message, and by mail.
fn told(sent: &[Message]) -> [usize; 2] {
    let is_text = |message: &&Message| matches!(message.to, Address::Phone(_));
    let texts = sent.iter().filter(is_text).count();
    [texts, sent.len() - texts]
}

#[tokio::test]
async fn of_many_notices_of_one_kind_the_first_are_sent_and_all_changes_are_made() {
    let world = mina().await;
    change_password(&world, 30).await;
    assert_eq!(told(&world.take_sent().await), [10, 30]);
    change_password(&world, 30).await;
    assert_eq!(told(&world.take_sent().await), [0, 20]);
    assert_eq!(world.take_sent().await.len(), 0, "they are not kept back");

    world.clock.advance(DAY);
    change_password(&world, 2).await;
    assert_eq!(told(&world.take_sent().await), [2, 2], "a day later");
}

#[tokio::test]
async fn a_notice_that_is_tried_again_counts_once() {
    let world = mina().await;
    change_password(&world, 10).await;
    let refused = SendError::Refused("no route".into());
    world.sender.fail_with(Some(refused));
    for _ in 0..3 {
        world.take_sent().await;
        world.clock.advance(Duration::from_secs(60));
    }
    world.sender.fail_with(None);
    assert_eq!(told(&world.take_sent().await), [10, 10]);
}

#[tokio::test]
async fn a_code_is_sent_before_the_notices_that_were_queued_earlier() {
    let world = mina().await;
    change_password(&world, 6).await;
    world.clock.advance(Duration::from_secs(1));
    let code = send_code("juno@example.com", Purpose::SignUp);
    code.execute(&world.app).await.expect("queued");
    let deliver = DeliverMessages { batch: 1 };
    let delivered = deliver.execute(&world.app).await.expect("delivered");
    assert_eq!(delivered.settled.len(), 1);
    let [code] = &world.sender.take()[..] else {
        panic!("one message");
    };
    assert!(matches!(code.content, Content::Code { .. }));
    assert_eq!(world.take_sent().await.len(), 12, "the notices follow");
}

//! Devices on which people have signed in.

use std::sync::Arc;
use std::time::Duration;

use super::subject::{StoreSubject, is_conflict, yes_of};
use crate::model::{Device, DeviceDigest, ProvenUser, Timestamp, User};
use crate::ports::DeviceTouch;

const LIFETIME: Duration = Duration::from_secs(90 * 86_400);

pub(super) fn device(law: &StoreSubject, user: &User) -> Device {
    Device {
        digest: DeviceDigest::from_bytes(law.bytes()),
        user_id: user.id,
        credential_version: user.credential_version,
        failures: 0,
        factor_shown_at: None,
        created_at: law.now,
        seen_at: law.now,
        expires_at: law.now.plus(LIFETIME),
    }
}

pub(super) async fn insert(law: &StoreSubject, devices: &[Device]) {
    let mut uow = law.begin().await;
    for device in devices {
        uow.insert_device(device).await.expect("a new device");
    }
    uow.commit().await.expect("committed");
}

pub(super) async fn stored(law: &StoreSubject, device: &Device) -> Option<Device> {
    let found = law.store.device(&device.digest).await;
    found.expect("an answer")
}

async fn has(law: &StoreSubject, user: &User) -> bool {
    law.store.has_devices(user.id).await.expect("an answer")
}

async fn touch(law: &StoreSubject, touch: DeviceTouch<'_>) -> bool {
    let mut uow = law.begin().await;
    let touched = uow.touch_device(&touch).await.expect("an answer");
    uow.commit().await.expect("committed");
    touched
}

/// Every field survives, and the digest alone finds it.
pub async fn a_device_is_read_as_written(law: &StoreSubject) {
    let (user, other) = (law.user().await, law.user().await);
    let first = device(law, &user);
    let second = Device {
        credential_version: 7,
        failures: 3,
        factor_shown_at: Some(law.later(5)),
        created_at: law.later(1),
        seen_at: law.later(6),
        expires_at: law.later(7),
        ..device(law, &user)
    };
    assert!(!has(law, &user).await);
    insert(law, &[first.clone(), second.clone(), device(law, &other)]).await;
    assert_eq!(stored(law, &first).await, Some(first.clone()));
    assert_eq!(stored(law, &second).await, Some(second));
    assert_eq!(stored(law, &device(law, &user)).await, None);
    assert!(has(law, &user).await);
    assert!(!has(law, &law.user().await).await);
}

/// The user may just have been deleted.
pub async fn a_device_needs_its_user(law: &StoreSubject) {
    let nobody = law.new_user();
    let mut uow = law.begin().await;
    assert!(is_conflict(&uow.insert_device(&device(law, &nobody)).await));
}

/// A device too many takes the place of the one that came first, and of nobody
/// else's.
pub async fn a_device_too_many_takes_the_place_of_the_first(law: &StoreSubject) {
    let (user, other) = (law.user().await, law.user().await);
    let theirs = device(law, &other);
    insert(law, std::slice::from_ref(&theirs)).await;
    let devices: Vec<_> = (0..Device::PER_USER + 3)
        .map(|_| device(law, &user))
        .collect();
    insert(law, &devices[..5]).await;
    insert(law, &devices[5..]).await;
    for (number, device) in devices.iter().enumerate() {
        let expected = (number >= 3).then(|| device.clone());
        assert_eq!(stored(law, device).await, expected, "device {number}");
    }
    assert_eq!(stored(law, &theirs).await, Some(theirs));
}

/// Those who sign in at once lock their user. No place is given twice.
pub async fn of_30_devices_at_once_20_are_left(law: &StoreSubject) {
    let user = law.user().await;
    let devices: Vec<_> = (0..30).map(|_| device(law, &user)).collect();
    let mut tasks = tokio::task::JoinSet::new();
    for device in devices.clone() {
        let store = Arc::clone(&law.store);
        tasks.spawn(async move {
            let mut uow = store.begin().await.expect("a unit of work");
            uow.lock_user(device.user_id).await.expect("locked");
            uow.insert_device(&device).await.expect("a new device");
            uow.commit().await.expect("committed");
        });
    }
    tasks.join_all().await;
    let mut left = 0;
    for device in &devices {
        left += u32::from(stored(law, device).await.is_some());
    }
    assert_eq!(left, Device::PER_USER);
}

/// Neither another user's, nor one from before a new password, nor one that is
/// not known any more.
pub async fn a_device_is_touched_for_its_user_alone(law: &StoreSubject) {
    let (user, other) = (law.user().await, law.user().await);
    let device = Device {
        failures: 9,
        ..device(law, &user)
    };
    let unlike = [self::device(law, &user), self::device(law, &other)];
    insert(law, &[device.clone(), unlike[0].clone(), unlike[1].clone()]).await;
    let proven = ProvenUser::of(&user);
    let good = DeviceTouch {
        digest: &device.digest,
        user: proven,
        seen_at: law.later(60),
        expires_at: law.later(60).plus(LIFETIME),
        shown: false,
    };
    let reset = ProvenUser {
        credential_version: proven.credential_version + 1,
        ..proven
    };
    let invented = DeviceDigest::from_bytes(law.bytes());
    for bad in [
        DeviceTouch {
            user: ProvenUser::of(&other),
            ..good
        },
        DeviceTouch {
            user: reset,
            ..good
        },
        DeviceTouch {
            seen_at: device.expires_at,
            ..good
        },
        DeviceTouch {
            digest: &invented,
            ..good
        },
    ] {
        assert!(!touch(law, bad).await, "{bad:?}");
    }
    assert_eq!(stored(law, &device).await, Some(device.clone()));

    assert!(touch(law, good).await);
    let seen = Device {
        failures: 0,
        seen_at: good.seen_at,
        expires_at: good.expires_at,
        ..device.clone()
    };
    assert_eq!(stored(law, &device).await, Some(seen.clone()));
    // By a clock that was set back.
    let earlier = DeviceTouch {
        seen_at: law.later(30),
        expires_at: law.later(30),
        shown: true,
        ..good
    };
    let earlier = DeviceTouch {
        expires_at: law.later(30).plus(LIFETIME),
        ..earlier
    };
    assert!(touch(law, earlier).await);
    let shown = Device {
        factor_shown_at: Some(law.later(30)),
        seen_at: earlier.seen_at,
        expires_at: earlier.expires_at,
        ..seen.clone()
    };
    assert_eq!(stored(law, &device).await, Some(shown.clone()));
    assert!(touch(law, good).await);
    let again = Device {
        factor_shown_at: shown.factor_shown_at,
        ..seen
    };
    assert_eq!(stored(law, &device).await, Some(again.clone()));
    assert!(touch(law, good).await, "to what is there already");
    assert_eq!(stored(law, &device).await, Some(again));
    // What was shown in the future was shown by a clock that was set back.
    let back = DeviceTouch {
        seen_at: law.later(20),
        ..good
    };
    assert!(touch(law, back).await);
    let unshown = Device {
        factor_shown_at: None,
        seen_at: back.seen_at,
        ..stored(law, &device).await.expect("a device")
    };
    assert_eq!(stored(law, &device).await, Some(unshown));
    for unlike in unlike {
        assert_eq!(stored(law, &unlike).await, Some(unlike));
    }
}

/// However many try at once; those of an unknown device are not.
pub async fn of_64_attempts_from_a_device_at_once_10_are_counted(law: &StoreSubject) {
    let user = law.user().await;
    let [device, bystander] = [device(law, &user), device(law, &user)];
    insert(law, &[device.clone(), bystander.clone()]).await;
    let digest = device.digest;
    let counted = yes_of(64, || {
        let store = Arc::clone(&law.store);
        async move { store.count_device_attempt(&digest, 10).await }
    });
    assert_eq!(counted.await, 10);
    let failures = stored(law, &device).await.map(|device| device.failures);
    assert_eq!(failures, Some(10));
    let unknown = DeviceDigest::from_bytes(law.bytes());
    let counted = law.store.count_device_attempt(&unknown, 10).await;
    assert!(!counted.expect("an answer"));
    assert_eq!(stored(law, &bystander).await, Some(bystander));
}

/// They are not known any more, and tell still that there was a sign-in.
pub async fn forgotten_devices_are_known_to_nobody(law: &StoreSubject) {
    let (user, other) = (law.user().await, law.user().await);
    let shown = |user: &User| Device {
        factor_shown_at: Some(law.now),
        ..device(law, user)
    };
    let [device, theirs] = [shown(&user), shown(&other)];
    insert(law, &[device.clone(), theirs.clone()]).await;
    let mut uow = law.begin().await;
    uow.forget_shown_factors(user.id).await.expect("forgotten");
    uow.commit().await.expect("committed");
    let unshown = Device {
        factor_shown_at: None,
        ..device.clone()
    };
    assert_eq!(stored(law, &device).await, Some(unshown));
    assert_eq!(stored(law, &theirs).await, Some(theirs.clone()));
    let mut uow = law.begin().await;
    uow.forget_devices(user.id).await.expect("forgotten");
    uow.commit().await.expect("committed");
    let forgotten = stored(law, &device).await.expect("it is there");
    assert!(!forgotten.is_of(ProvenUser::of(&user)));
    assert!(has(law, &user).await);
    assert_eq!(stored(law, &theirs).await, Some(theirs));
}

/// They are nobody's without their user.
pub async fn deleting_a_user_deletes_its_devices(law: &StoreSubject) {
    let (user, other) = (law.user().await, law.user().await);
    let [device, theirs] = [device(law, &user), device(law, &other)];
    insert(law, &[device.clone(), theirs.clone()]).await;
    let mut uow = law.begin().await;
    uow.delete_user(user.id).await.expect("deleted");
    uow.commit().await.expect("committed");
    assert_eq!(stored(law, &device).await, None);
    assert_eq!(stored(law, &theirs).await, Some(theirs));
}

/// Some that expired before `now`, and some that did not.
pub(super) async fn expiring(law: &StoreSubject, now: Timestamp) -> (Vec<Device>, Vec<Device>) {
    let user = law.user().await;
    let until = |expires_at: Timestamp| Device {
        expires_at,
        ..device(law, &user)
    };
    let before = now.minus(Duration::from_millis(1));
    let gone = vec![until(law.now), until(before), until(before)];
    let kept = vec![until(now), until(now.plus(LIFETIME))];
    insert(law, &gone).await;
    insert(law, &kept).await;
    (gone, kept)
}

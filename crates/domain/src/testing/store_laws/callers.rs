//! Callers.

use super::subject::{StoreSubject, is_taken};
use crate::model::{Caller, CallerName, Role};

fn new_caller(law: &StoreSubject, roles: &[Role]) -> Caller {
    let random = u64::from_be_bytes(law.bytes());
    Caller {
        name: CallerName::parse(&format!("caller-{random:016x}")).expect("a name"),
        roles: roles.to_vec(),
        key_hash: law.bytes(),
        created_at: law.now,
    }
}

async fn find(law: &StoreSubject, name: &CallerName) -> Option<Caller> {
    let callers = law.store.callers().await.expect("readable");
    callers.into_iter().find(|caller| caller.name == *name)
}

/// Every field survives, until it is deleted.
pub async fn a_caller_is_read_as_written(law: &StoreSubject) {
    let all = [Role::Service, Role::Gateway, Role::Operator];
    for roles in [&all[..], &all[1..2], &[]] {
        let caller = new_caller(law, roles);
        let mut uow = law.begin().await;
        uow.insert_caller(&caller).await.expect("a new caller");
        uow.commit().await.expect("committed");
        assert_eq!(find(law, &caller.name).await, Some(caller.clone()));

        for was_there in [true, false] {
            let mut uow = law.begin().await;
            let deleted = uow.delete_caller(&caller.name).await;
            assert_eq!(deleted.expect("an answer"), was_there);
            uow.commit().await.expect("committed");
            assert_eq!(find(law, &caller.name).await, None);
        }
    }
}

/// Nobody takes over another's name.
pub async fn a_callers_name_is_taken_once(law: &StoreSubject) {
    let caller = new_caller(law, &[Role::Service]);
    let mut uow = law.begin().await;
    uow.insert_caller(&caller).await.expect("a new caller");
    uow.commit().await.expect("committed");
    let usurper = Caller {
        name: caller.name.clone(),
        ..new_caller(law, &[Role::Operator])
    };
    let mut uow = law.begin().await;
    assert!(is_taken(&uow.insert_caller(&usurper).await));
    drop(uow);
    assert_eq!(find(law, &caller.name).await, Some(caller));
}

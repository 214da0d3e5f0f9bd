//! One test, run on each database.

/// Makes one test for each backend of an `async fn name(backend: Backend)`:
/// `name::on_sqlite`, `name::on_postgresql`, `name::on_mariadb`.
#[macro_export]
macro_rules! on_every_backend {
    ($($(#[$attribute:meta])* async fn $name:ident($backend:ident: Backend) $body:block)*) => {
        $(
            $crate::__one_backend_each! {
                $(#[$attribute])* $name, $backend, $body;
                on_sqlite Sqlite, on_postgresql Postgres, on_mariadb MariaDb
            }
        )*
    };
}

/// Makes one test for each backend that several replicas can share:
/// `name::on_postgresql`, `name::on_mariadb`.
#[macro_export]
macro_rules! on_every_shared_backend {
    ($($(#[$attribute:meta])* async fn $name:ident($backend:ident: Backend) $body:block)*) => {
        $(
            $crate::__one_backend_each! {
                $(#[$attribute])* $name, $backend, $body;
                on_postgresql Postgres, on_mariadb MariaDb
            }
        )*
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __one_backend_each {
    ($(#[$attribute:meta])* $name:ident, $backend:ident, $body:block; $($test:ident $variant:ident),*) => {
        $(#[$attribute])*
        mod $name {
            #[expect(clippy::allow_attributes, reason = "not every test uses all that is in scope")]
            #[allow(unused_imports, reason = "the body may use anything of its file")]
            use super::*;

            async fn body($backend: $crate::Backend) $body

            $(
                #[test]
                fn $test() {
                    let runtime = $crate::__tokio::runtime::Builder::new_multi_thread()
                        .worker_threads(2)
                        .enable_all()
                        .build()
                        .expect("a runtime");
                    runtime.block_on(async {
                        if $crate::Backend::$variant.is_there().await {
                            body($crate::Backend::$variant).await;
                        }
                    });
                }
            )*
        }
    };
}

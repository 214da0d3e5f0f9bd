//! One test, run on each database.

/// Makes tests of functions `async fn name(backend: Backend)`, one for each
/// backend: `name::on_sqlite`, `name::on_postgresql`, `name::on_mariadb`.
#[macro_export]
macro_rules! on_every_backend {
    ($($name:ident),* $(,)?) => {
        $($crate::__on! { $name; on_sqlite Sqlite, on_postgresql Postgres, on_mariadb MariaDb })*
    };
}

/// Makes tests likewise, one for each backend that several replicas can share:
/// `name::on_postgresql`, `name::on_mariadb`.
#[macro_export]
macro_rules! on_every_shared_backend {
    ($($name:ident),* $(,)?) => {
        $($crate::__on! { $name; on_postgresql Postgres, on_mariadb MariaDb })*
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __on {
    ($name:ident; $($test:ident $variant:ident),*) => {
        mod $name {
            $(
                #[test]
                fn $test() {
                    $crate::on_a_backend($crate::Backend::$variant, super::$name);
                }
            )*
        }
    };
}

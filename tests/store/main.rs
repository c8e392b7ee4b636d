//! The behaviour of a store, run against every backend.

mod behaviour;
mod copy;
mod postgres;
#[path = "../postgres_server/mod.rs"]
mod postgres_server;
mod sqlite;
mod tls;

/// Instantiates every behaviour for a backend: a module of tests named like it. `$place` is a
/// type that implements [`behaviour::Place`].
macro_rules! store_test_suite {
    ($backend:ident, $place:ty) => {
        store_test_suite!(@tests $backend, $place,
            a_document_is_created_found_and_listed,
            the_same_content_changes_nothing,
            other_content_makes_a_revision,
            a_stale_etag_is_refused,
            a_repeated_request_answers_with_what_it_did,
            a_request_id_is_not_taken_twice,
            the_same_request_at_once_is_done_once,
            a_batch_answers_for_each_document,
            many_writers_of_many_documents,
            many_writers_of_one_document,
            a_caller_that_leaves_breaks_nothing,
            pages_are_stable_while_documents_come_and_go,
            listings_are_filtered,
            names_are_compared_without_case,
            corpora_are_apart,
            any_text_comes_back_as_it_was,
            a_large_document_is_kept,
            a_page_of_full_documents_is_about_a_message,
            basic_leaves_out_source_text_and_blocks,
            a_document_made_again_is_another_one,
            a_revision_is_found_by_its_own_terms_only,
            what_was_answered_is_there_after_a_crash,
            close_finishes_what_was_accepted,
            what_is_taken_out_can_be_put_in_as_it_was,
        );
    };
    (@tests $backend:ident, $place:ty, $($name:ident),* $(,)?) => {
        mod $backend {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $name() {
                    if let Some(place) = <$place as super::behaviour::Place>::new().await {
                        super::behaviour::$name(place).await;
                    }
                }
            )*
        }
    };
}

store_test_suite!(sqlite_store, super::sqlite::File);
store_test_suite!(postgres_store, super::postgres_server::Database);

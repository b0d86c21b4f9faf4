//! Whether the database can be written to, as what is done with it tells.

use super::*;

fn bucket(name: &str) -> limits::Bucket {
    limits::Bucket { key: crate::core::token::SecretHash::digest("test", name), interval: 10, tolerance: 10 }
}

/// Changes a row, or adds it.
async fn take(tx: &mut Tx, name: &str) -> Result<()> {
    limits::take(tx, &bucket(name), crate::core::clock::Timestamp::from_millis(1)).await?;
    Ok(())
}

#[tokio::test]
async fn nothing_but_what_is_on_disk_shows_that_the_store_can_be_written_to_again() {
    let (_kept, store) = open().await;
    let failed = || store.write_soon(|_| Box::pin(async { Err::<(), _>(Fault::unavailable("no room").into()) }));
    assert!(failed().await.is_err());
    assert!(store.ping().await.is_err() && store.is_in_doubt());
    let swept = store
        .write_each(|tx| Box::pin(async move { Ok(limits::sweep(tx, crate::core::clock::Timestamp::from_millis(0)).await?) }));
    assert_eq!(swept.await.unwrap(), 0, "there is nothing to change");
    let read = store.write(|tx| Box::pin(async move { Ok(migrations::check(tx, migrations::STEPS).await?) }));
    read.await.unwrap();
    let undone = store.write(|tx| {
        Box::pin(async move {
            take(tx, "undone").await?;
            Err::<(), _>(crate::core::Refusal::NotFound.into())
        })
    });
    assert!(undone.await.is_err());
    store.write_soon(|tx| Box::pin(take(tx, "not on disk"))).await.unwrap();
    assert!(store.ping().await.is_err() && store.is_in_doubt());
    store.write_each(|tx| Box::pin(take(tx, "on disk"))).await.unwrap();
    store.ping().await.unwrap();
    assert!(!store.is_in_doubt());
    // One of a group is enough.
    let (one, other) = tokio::join!(failed(), store.write(|tx| Box::pin(take(tx, "beside it"))));
    assert!(one.is_err() && other.is_ok());
    store.write(|tx| Box::pin(take(tx, "after it"))).await.unwrap();
    store.ping().await.unwrap();
}

#[tokio::test]
async fn a_file_that_is_full_is_told_until_something_has_been_written() {
    let folder = tempfile::tempdir().unwrap();
    let store = open_sqlite(&folder).await;
    let limit = |pages: i64| {
        store.write_soon(move |tx| {
            Box::pin(async move { Ok(connection(tx).pragma_update(None, "max_page_count", pages).map_err(Fault::internal)?) })
        })
    };
    limit(1).await.unwrap();
    // As many rows as make a new page.
    let written = store.write(|tx| {
        Box::pin(async move {
            for number in 0..1000 {
                take(tx, &number.to_string()).await?;
            }
            Ok(())
        })
    });
    let Err(crate::core::Error::Faulted(fault)) = written.await else { panic!("there was room") };
    assert_eq!(fault.kind(), crate::core::fault::FaultKind::Unavailable, "{fault}");
    for _ in 0..2 {
        store.write_each(|_| Box::pin(async { Ok(()) })).await.unwrap();
        assert!(store.ping().await.is_err());
    }
    limit(1_000_000).await.unwrap();
    assert!(store.ping().await.is_err());
    store.write_each(|tx| Box::pin(take(tx, "a"))).await.unwrap();
    store.ping().await.unwrap();
}

#[tokio::test]
async fn a_commit_that_fails_is_told_until_something_has_been_written() {
    const NOBODYS: Sql = Sql("INSERT INTO passwords (user_id, phc, changed_at) VALUES ('nobody', '', 1)");
    let folder = tempfile::tempdir().unwrap();
    let store = open_sqlite(&folder).await;
    let broken = store.write(|tx| {
        Box::pin(async move {
            // What is wrong comes to light at the end.
            tx.batch("PRAGMA defer_foreign_keys = ON").await?;
            tx.execute(NOBODYS, &[]).await?;
            Ok(())
        })
    });
    assert!(broken.await.is_err());
    store.write_each(|_| Box::pin(async { Ok(()) })).await.unwrap();
    assert!(store.ping().await.is_err());
    store.write_each(|tx| Box::pin(take(tx, "a"))).await.unwrap();
    store.ping().await.unwrap();
}

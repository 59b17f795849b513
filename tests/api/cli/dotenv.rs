//! `.env`: whose it may be.

use std::{
    fs::{self, Permissions},
    os::unix::fs::{MetadataExt, PermissionsExt, chown},
    path::PathBuf,
};

use tempfile::TempDir;

use super::{program, settings};
use crate::helpers::Ran;

/// A folder with a `.env` of this mode.
fn file(mode: u32) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(".env");
    fs::write(&path, "WEBHOOK_PATH=/from-the-file\n").unwrap();
    fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
    (folder, path)
}

async fn config(folder: &TempDir) -> Ran {
    program(&["config"], &settings([("FOLDER", folder.path().to_str().unwrap())])).await
}

fn refused(ran: &Ran, to_do: &str) {
    assert!(ran.code == 1 && ran.out.is_empty() && ran.err.contains(to_do), "{ran:?}");
}

#[tokio::test]
async fn a_file_that_everybody_may_write_is_refused_and_one_of_the_own_group_is_read() {
    for mode in [0o666, 0o602, 0o646] {
        refused(&config(&file(mode).0).await, "`chmod go-w .env`");
    }
    for mode in [0o600, 0o644, 0o664] {
        let ran = config(&file(mode).0).await;
        assert!(ran.out.contains("WEBHOOK_PATH=/from-the-file  # .env"), "{mode:o}: {ran:?}");
    }
}

#[tokio::test]
async fn a_file_of_another_user_or_another_group_is_refused() {
    let (folder, path) = file(0o660);
    // Only root can give a file away, so only root can try it.
    if fs::metadata(&path).unwrap().uid() != 0 {
        return;
    }
    chown(&path, None, Some(4321)).unwrap();
    refused(&config(&folder).await, "`chmod go-w .env`");
    chown(&path, Some(4321), Some(0)).unwrap();
    refused(&config(&folder).await, "`chown 0 .env`");
}

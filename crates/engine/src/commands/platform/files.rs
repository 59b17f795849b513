//! The two files that hold the token and the one before it.

use std::{
    fs::{self, File, OpenOptions},
    io,
    os::unix::fs::{FileExt, MetadataExt},
    path::{Path, PathBuf},
};

use anyhow::{Context, bail, ensure};
use secrecy::{ExposeSecret, SecretString};

use crate::config::{Config, Source};

const TOKEN: &str = "WEBHOOK_TOKEN";
const PREVIOUS: &str = "WEBHOOK_TOKEN_PREVIOUS";

/// Where they are.
pub(super) struct Files {
    token: PathBuf,
    previous: PathBuf,
}

/// What they hold.
pub(super) struct Held {
    pub(super) token: SecretString,
    pub(super) previous: SecretString,
}

impl Held {
    /// Whether both are the same, so that no rotation is under way.
    pub(super) fn is_at_rest(&self) -> bool {
        self.token.expose_secret() == self.previous.expose_secret()
    }
}

impl Files {
    /// The files of these settings, once they can be written.
    pub(super) fn of(source: &Source, config: &Config) -> anyhow::Result<Self> {
        let file = |name: &str| {
            source.file_of(name).with_context(|| {
                format!(
                    "{name}_FILE is not set, and a secret can be changed while receivers run only where it is in a file: \
                     write the token into two files, name one in {TOKEN}_FILE and the other in {PREVIOUS}_FILE in place of \
                     {TOKEN} and {PREVIOUS}, for the receivers and for this command, and start the receivers anew"
                )
            })
        };
        let files = Self { token: file(TOKEN)?, previous: file(PREVIOUS)? };
        let identity = |path: &Path| anyhow::Ok(open(path)?.metadata().map(|of| (of.dev(), of.ino()))?);
        ensure!(
            identity(&files.token)? != identity(&files.previous)?,
            "{TOKEN}_FILE and {PREVIOUS}_FILE are one file: give each its own"
        );
        let signs = config.webhook.signing_secret.as_ref().map(ExposeSecret::expose_secret);
        if let Some(signs) = signs
            && [&config.webhook.token, &config.webhook.token_previous]
                .into_iter()
                .flatten()
                .any(|token| token.expose_secret() == signs)
        {
            bail!(
                "WEBHOOK_SIGNING_SECRET is the token, which is about to change, and deliveries signed with the new one would \
                 be refused: take it away, since the token signs where it is not set (WEBHOOK_SIGNATURE=required keeps a \
                 signature necessary)"
            );
        }
        Ok(files)
    }

    /// What they hold now.
    pub(super) fn read(&self) -> anyhow::Result<Held> {
        Ok(Held { token: read(&self.token)?, previous: read(&self.previous)? })
    }

    /// Makes sure that they hold these, and nobody else has changed them meanwhile.
    pub(super) fn still_hold(&self, token: &SecretString, previous: &SecretString) -> anyhow::Result<()> {
        let now = self.read()?;
        let same = |one: &SecretString, other: &SecretString| one.expose_secret() == other.expose_secret();
        ensure!(
            same(token, &now.token) && same(previous, &now.previous),
            "the files were changed by somebody else meanwhile: run this again, and it goes by what they hold now"
        );
        Ok(())
    }

    pub(super) fn write_token(&self, secret: &SecretString) -> anyhow::Result<()> {
        write(&self.token, secret)
    }

    pub(super) fn write_previous(&self, secret: &SecretString) -> anyhow::Result<()> {
        write(&self.previous, secret)
    }
}

fn open(path: &Path) -> anyhow::Result<File> {
    // Without `truncate`: it is only tried here.
    OpenOptions::new().read(true).write(true).open(path).with_context(|| {
        format!(
            "{} can't be written here, and a rotation writes into it: run this as the file's owner, where it is not mounted \
             read-only",
            path.display()
        )
    })
}

fn read(path: &Path) -> anyhow::Result<SecretString> {
    let text = fs::read_to_string(path).with_context(|| format!("{} can't be read", path.display()))?;
    ensure!(!text.trim().is_empty(), "{} is empty: write the token in force into it", path.display());
    Ok(text.trim().to_owned().into())
}

/// Writes into the file that is there, since containers have that one mounted, and no other of its name. It is one write,
/// filled up to the length of what stood there: who reads it meanwhile, a receiver that starts, finds one secret or the other.
fn write(path: &Path, secret: &SecretString) -> anyhow::Result<()> {
    let before = fs::read(path).with_context(|| format!("{} can't be read", path.display()))?;
    let file = open(path)?;
    if let Err(error) = put(&file, secret.expose_secret(), before.len()) {
        // On a disk that is full, what stood there still has its place.
        let restored = file.write_all_at(&before, 0).and_then(|()| file.set_len(before.len() as u64));
        let state = match restored.and_then(|()| file.sync_all()) {
            Ok(()) => "holds what it held",
            Err(_) => "must be looked at: what it held could not be put back",
        };
        return Err(error).with_context(|| format!("{} could not be written, and {state}", path.display()));
    }
    Ok(())
}

fn put(file: &File, secret: &str, length: usize) -> io::Result<()> {
    let mut text = format!("{secret}\n").into_bytes();
    let end = text.len();
    text.resize(end.max(length), b'\n');
    file.write_all_at(&text, 0)?;
    file.set_len(end as u64)?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_takes_the_place_of_a_longer_and_of_a_shorter_one_in_the_same_file() {
        let path = std::env::temp_dir().join(format!("a-secret-of-{}", std::process::id()));
        for before in ["a-much-longer-secret-than-the-next\n\n", "short", "the-same-long\n"] {
            fs::write(&path, before).expect("it can be written");
            let inode = fs::metadata(&path).expect("it is there").ino();
            write(&path, &"the-new-secret".to_owned().into()).expect("it can be written");
            assert_eq!(fs::read_to_string(&path).expect("it is there"), "the-new-secret\n");
            assert_eq!(fs::metadata(&path).expect("it is there").ino(), inode);
        }
        fs::remove_file(path).expect("it is there");
    }
}

//! What a recording is, by its first bytes: what a host calls it may be anything.

/// A format of audio.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Audio {
    /// MPEG-1 or 2, layer III as a rule.
    Mp3,
    /// RIFF.
    Wav,
    /// Ogg: Vorbis or Opus.
    Ogg,
    /// MPEG-4.
    Mp4,
    /// FLAC.
    Flac,
    /// Matroska.
    Webm,
}

impl Audio {
    /// So many bytes tell the formats apart.
    pub(super) const HEAD: usize = 12;

    /// The format of what begins so; `None` for what is no audio, such as a page on which to log in.
    #[must_use]
    pub fn of(head: &[u8]) -> Option<Self> {
        Some(match head {
            [b'I', b'D', b'3', ..] => Self::Mp3,
            [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'A', b'V', b'E', ..] => Self::Wav,
            [b'O', b'g', b'g', b'S', ..] => Self::Ogg,
            [b'f', b'L', b'a', b'C', ..] => Self::Flac,
            [_, _, _, _, b'f', b't', b'y', b'p', ..] => Self::Mp4,
            [0x1A, 0x45, 0xDF, 0xA3, ..] => Self::Webm,
            [0xFF, second, third, ..] if is_frame(*second, *third) => Self::Mp3,
            _ => return None,
        })
    }

    /// The end of a file's name.
    #[must_use]
    pub fn extension(self) -> &'static str {
        match self {
            Self::Mp3 => "mp3",
            Self::Wav => "wav",
            Self::Ogg => "ogg",
            Self::Mp4 => "m4a",
            Self::Flac => "flac",
            Self::Webm => "webm",
        }
    }

    /// Its media type. (RFC 3003, RFC 4337, RFC 5334, RFC 9639; WAV and `WebM` by common use.)
    #[must_use]
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Mp3 => "audio/mpeg",
            Self::Wav => "audio/wav",
            Self::Ogg => "audio/ogg",
            Self::Mp4 => "audio/mp4",
            Self::Flac => "audio/flac",
            Self::Webm => "audio/webm",
        }
    }
}

/// Whether 0xFF and these begin a frame of MPEG audio: eleven bits that are set, and then no value that is reserved.
fn is_frame(second: u8, third: u8) -> bool {
    let (version, layer) = (second >> 3 & 0b11, second >> 1 & 0b11);
    let (bitrate, frequency) = (third >> 4, third >> 2 & 0b11);
    second >= 0xE0 && version != 0b01 && layer != 0 && bitrate != 0b1111 && frequency != 0b11
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn audio_is_known_by_its_first_bytes_and_nothing_else_is_taken_for_it() {
        for (head, audio) in [
            (&b"ID3\x04\0\0\0\0\0\0\0\0"[..], Some(Audio::Mp3)),
            (b"\xFF\xFB\x90\x64", Some(Audio::Mp3)),
            (b"\xFF\xF3\x40\xC0", Some(Audio::Mp3)),
            (b"RIFF\x24\0\0\0WAVEfmt ", Some(Audio::Wav)),
            (b"OggS\0\x02", Some(Audio::Ogg)),
            (b"fLaC\0\0\0\x22", Some(Audio::Flac)),
            (b"\0\0\0\x20ftypM4A ", Some(Audio::Mp4)),
            (b"\x1A\x45\xDF\xA3\x9F", Some(Audio::Webm)),
            (b"<!doctype html>", None),
            (b"{\"error\":\"login\"}", None),
            (b"RIFF\x24\0\0\0AVI LIST", None),
            // UTF-16, ADTS, JPEG
            (b"\xFF\xFE<\0h\0t\0m\0", None),
            (b"\xFF\xF1\x50\x80", None),
            (b"\xFF\xD8\xFF\xE0", None),
            (b"PK\x03\x04", None),
            (b"ID", None),
            (b"", None),
        ] {
            assert_eq!(Audio::of(head), audio, "{head:?}");
        }
    }
}

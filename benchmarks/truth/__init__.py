"""Truth corpora: music whose beats, meter, key and chords are known because it was made from them. See README.md."""

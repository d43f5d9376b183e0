#!/bin/sh
# Puts real recorded music from Debian packages (free licences, about 126 tracks, 9.8 h, 490 MB) into a folder, without
# installing anything: sh benchmarks/recorded_music.sh FOLDER
set -eu
folder=${1:?usage: recorded_music.sh FOLDER}
mkdir -p "$folder"
cd "$folder"
[ -f .complete ] && exit 0
for package in fretsonfire-songs-sectoid fretsonfire-songs-muldjord hex-a-hop-data amoebax-data zaz-data marsshooter-data \
    singularity-music pushover-data wesnoth-1.16-music warzone2100-music; do
    [ -d "$package" ] && continue
    apt-get download -qq "$package"
    dpkg-deb -x "$package"_*.deb "$package.part"
    rm "$package"_*.deb
    # Only the music: sound effects of games are no tracks.
    find "$package.part" -type f ! \( -iname '*.ogg' -o -iname '*.mp3' -o -iname '*.oga' -o -iname '*.opus' \) -delete
    find "$package.part" -type f -size -200k -delete
    find "$package.part" -name guitar.ogg -delete
    mv "$package.part" "$package"
done
touch .complete

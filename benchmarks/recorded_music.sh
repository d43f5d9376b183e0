#!/bin/sh
# Puts real recorded music from Debian packages (free licences) into a folder, without installing anything:
#   sh benchmarks/recorded_music.sh FOLDER        about 126 tracks, 9.8 h, 490 MB
#   sh benchmarks/recorded_music.sh FOLDER all    more of the same kind, over 20 h; 3.5 GB are downloaded for it
set -eu
folder=${1:?usage: recorded_music.sh FOLDER [all]}
packages="fretsonfire-songs-sectoid fretsonfire-songs-muldjord hex-a-hop-data amoebax-data zaz-data marsshooter-data
    singularity-music pushover-data wesnoth-1.16-music warzone2100-music"
more="nexuiz-music ufoai-music asc-music hyperrogue-music fb-music-high planetblupi-music-ogg drascula-music openarena-data
    neverball-data fillets-ng-data lincity-ng-data colobot-common-sounds freeorion-data supertux-data hedgewars-data
    supertuxkart-data freedroidrpg-data widelands-data naev-data megaglest-data unknown-horizons 7kaa-data endless-sky-data"
[ "${2:-}" = all ] && packages="$packages $more"
mkdir -p "$folder"
cd "$folder"
for package in $packages; do
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

#!/usr/bin/bash
#
# Sets up a zone of the IMGAPI of a Triton datacenter: where its data are, its service, the rotation of its logs. The zone's
# image has it as /opt/smartdc/boot/setup.sh, and runs it once. What it did before does no harm when it is run again.
#

set -o errexit -o pipefail

PATH=/opt/local/bin:/opt/local/sbin:/usr/bin:/usr/sbin
role=imgapi
root=/opt/smartdc/$role
data=/data/$role

# What all zones of Triton have in common: config-agent, registrar, log rotation.
# shellcheck source=/dev/null
source /opt/smartdc/boot/lib/util.sh

# The data outlive the zone's image: they are in a file system of their own.
zfs set mountpoint=/data "zones/$(zonename)/data"
# Before config-agent writes there. The service runs as nobody.
mkdir -p "$data/etc"
chown nobody:nobody "$data" "$data/etc"

# Where config-agent finds sapi_manifests; it is read by the next line.
export CONFIG_AGENT_LOCAL_MANIFESTS_DIRS=$root
sdc_common_setup

# By this Triton knows what the zone is for.
mkdir -p "/var/smartdc/$role"

# imgapiadm, for whoever logs in.
profile=/root/.profile
path="export PATH=$root/src/cli/bin:$root/build/node/bin:\$PATH"
grep -qxsF "$path" "$profile" || echo "$path" >>"$profile"
where="export IMGAPI_DATA_DIR=$data IMGAPI_URL=http://127.0.0.1"
grep -qxsF "$where" "$profile" || echo "$where" >>"$profile"

# Waits for the configuration, which config-agent may still be writing.
svccfg import "$root/smf/manifests/imgapi.xml"

for name in config-agent registrar amon-agent "$role"; do
    sdc_log_rotation_add "$name" "/var/svc/log/*$name*.log" 1g
done
sdc_log_rotation_setup_end
sdc_setup_complete

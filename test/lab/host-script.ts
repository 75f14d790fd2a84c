/** What a host runs as it starts, for the first time or again. /lab holds its keys and settings, read-only. */
export const hostScript = `#!/bin/sh
set -eu
mount -o remount,rw /proc/sys

if ! id deploy >/dev/null 2>&1; then
  useradd --create-home --shell /bin/bash --groups docker deploy
  usermod --password '*' deploy
fi
install -d -m 700 -o root -g root /root/.ssh
install -m 600 -o root -g root /lab/authorized_keys /root/.ssh/authorized_keys
install -d -m 700 -o deploy -g deploy /home/deploy/.ssh
install -m 600 -o deploy -g deploy /lab/authorized_keys /home/deploy/.ssh/authorized_keys
install -d -m 2775 -o deploy -g docker /opt/stagecraft

install -m 600 /lab/ssh_host_ed25519_key /etc/ssh/lab_host_key
install -m 644 /lab/sshd.conf /etc/ssh/sshd_config.d/lab.conf
install -D -m 644 /lab/daemon.json /etc/docker/daemon.json
install -D -m 644 /lab/registry-ca.crt "/etc/docker/certs.d/$LAB_REGISTRY/ca.crt"

mkdir -p /run/sshd
/usr/sbin/sshd
# The engine may end without the host, as on a machine with an init: it comes back, unless /run/engine-held keeps it away.
end() { kill -TERM "$engine" 2>/dev/null; wait "$engine"; exit 0; }
trap end TERM INT
while :; do
  dockerd &
  engine=$!
  wait "$engine" || true
  while [ -e /run/engine-held ]; do sleep 0.1; done
done
`

/** Tests connect often, at once, and sometimes with a wrong key on purpose: sshd shall not count that against them. */
export const sshdConfig = `HostKey /etc/ssh/lab_host_key
MaxStartups 100
PerSourcePenalties no
PasswordAuthentication no
`

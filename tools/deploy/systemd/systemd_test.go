package systemd_test

import _ "github.com/coreos/go-systemd/v22/unit"

package org_test

// A faultCase is a change of one file of testdata/good, and all that Load says of it.
type faultCase struct {
	change

	want string
}

func faultTable() []faultCase {
	return []faultCase{
		{change{"calendars.yaml", "id: office", "id: Office"}, `calendars.yaml:2:9: calendar 1: id "Office": want lower-case letters, digits and hyphens, at most 63, such as web-1
escalation-policies.yaml:19:17: policy std: variant 2: out_of "office": no such calendar; there are none
services.yaml:14:150: service shop: review: calendar "office": no such calendar; there are none
support-plans.yaml:10:50: support plan gold: targets: P4: resolve: in "office": want 24x7 or a calendar; there are none`},
		{change{"calendars.yaml", "Europe/London", "London"}, `calendars.yaml:4:11: calendar office: zone "London": want an IANA time zone, such as Asia/Seoul`},
		{change{"calendars.yaml", "days: [mon-thu], from: 09:00", "days: [monday], from: 9:00"}, `calendars.yaml:6:17: calendar office: hours 1: days "monday": want a day or a range of days, such as sat or mon-fri
calendars.yaml:6:32: calendar office: hours 1: from "9:00": want a time of day from 00:00 to 23:59, such as 09:00`},
		{change{"calendars.yaml", "days: [mon-thu], from: 09:00", "days: [mon-thu-fri], from: 24:00"}, `calendars.yaml:6:17: calendar office: hours 1: days "mon-thu-fri": want a day or a range of days, such as sat or mon-fri
calendars.yaml:6:37: calendar office: hours 1: from "24:00": want a time of day from 00:00 to 23:59, such as 09:00`},
		{change{"calendars.yaml", "from: 09:00, to: 12:30", "from: 09:00, to: 24:30"}, `calendars.yaml:6:44: calendar office: hours 1: to "24:30": want a time of day, such as 18:00 or 24:00`},
		{change{"calendars.yaml", "from: 09:00, to: 12:30", "from: 09:00, to: 09:00"}, `calendars.yaml:6:44: calendar office: hours 1: to 09:00: want another time than from; a whole day is from 00:00 to 24:00`},
		{change{"calendars.yaml", "from: 09:00, to: 12:30", "from: 09:00, to: 14:30"}, `calendars.yaml:2:5: calendar office: mon 09:00-14:30 and mon 13:30-17:30 overlap`},
		{change{"calendars.yaml", "days: [fri, sat], from: 09:00", "days: [sun-mon], from: 22:00"}, `calendars.yaml:2:5: calendar office: mon 22:00-13:00 and tue 09:00-12:30 overlap`},
		{change{"calendars.yaml", "country: gb", "country: cn"}, `calendars.yaml:10:16: calendar office: holidays: country "cn": want kr, us, gb, de or jp`},
		{change{"calendars.yaml", "dates: [2026-12-24]", "dates: [24.12.2026]"}, `calendars.yaml:11:15: calendar office: holidays: dates "24.12.2026": want a date, such as 2026-12-31`},
		{change{"calendars.yaml", "dates: [2026-12-24]", "files: [../company.ics]"}, `calendars.yaml:11:15: calendar office: holidays: files "../company.ics": want the plain name of a file in this folder that ends in .ics, such as company.ics`},
		{change{"calendars.yaml", "dates: [2026-12-24]", "files: [company.ics]"}, `calendars.yaml:11:15: calendar office: holidays: files "company.ics": no such file in this folder; there are none`},
		{change{"calendars.yaml", "until: 2026-12-31", "until: 2026-12-28"}, `calendars.yaml:14:16: calendar office: exception 1: until 2026-12-28: want a later day than date, 2026-12-28, by less than 366 days`},
		{change{"calendars.yaml", "until: 2026-12-31", "until: 2036-12-31"}, `calendars.yaml:14:16: calendar office: exception 1: until 2036-12-31: want a later day than date, 2026-12-28, by less than 366 days`},
		{change{"calendars.yaml", ", closed: true", ""}, `calendars.yaml:16:9: calendar office: exception 2: want closed: true, or hours such as [{from: 09:00, to: 13:00}]`},
		{change{"calendars.yaml", "closed: true", "hours: []"}, `calendars.yaml:16:9: calendar office: exception 2: want closed: true, or hours such as [{from: 09:00, to: 13:00}]`},
		{change{"calendars.yaml", "closed: true", "closed: false"}, `calendars.yaml:16:36: calendar office: exception 2: closed "false": want true, or not this key`},
		{change{"calendars.yaml", "date: 2026-11-27", "date: 2026-12-30"}, `calendars.yaml:2:5: calendar office: exception 2026-12-30: named twice`},
		{change{"calendars.yaml", "hours: [{from: 10:00, to: 12:00}]", "hours: [{from: 10:00, to: 12:00}, {from: 11:00, to: 13:00}]"}, `calendars.yaml:13:9: calendar office: exception 1: exception 2026-12-28: 10:00-12:00 and 11:00-13:00 overlap`},
		{change{"calendars.yaml", "until: 2199-12-31", "until: 2025-12-31"}, `calendars.yaml:2:5: calendar office: until 2025-12-31: want a day that is not before from, 2026-01-01`},
		{change{"calendars.yaml", "until: 2199-12-31", "until: 2026-01-01"}, `calendars.yaml:2:5: calendar office: it never opens`},
		{change{"organisation.yaml", "id: acme", "id: Acme Corp"}, `organisation.yaml:1:5: organisation: id "Acme Corp": want lower-case letters, digits and hyphens, at most 63, such as web-1`},
		{change{"organisation.yaml", "id: acme\n", ""}, `organisation.yaml:1:1: organisation: id: missing; want lower-case letters, digits and hyphens, at most 63, such as web-1`},
		{change{"organisation.yaml", "name: Acme", "name:"}, `organisation.yaml:2:1: organisation: name: missing; want a name on one line, of at most 200 characters`},
		{change{"organisation.yaml", "name: Acme", "name: [Acme]"}, `organisation.yaml:2:7: organisation: name: got a list; want a name on one line, of at most 200 characters`},
		{change{"organisation.yaml", "name: Acme", "name: \"Acme\\nCorp\""}, `organisation.yaml:2:7: organisation: name "Acme\nCorp": want a name on one line, of at most 200 characters`},
		{change{"organisation.yaml", "zone: Asia/Seoul", "zone: KST"}, `organisation.yaml:3:7: organisation: zone "KST": want an IANA time zone, such as Asia/Seoul`},
		{change{"organisation.yaml", "zone: Asia/Seoul", "zone: ../../etc/passwd"}, `organisation.yaml:3:7: organisation: zone "../../etc/passwd": want an IANA time zone, such as Asia/Seoul`},
		{change{"organisation.yaml", "languages: [ko, en]", "languages: ko"}, `organisation.yaml:4:12: organisation: languages: got "ko"; want a list`},
		{change{"organisation.yaml", "languages: [ko, en]", "languages: [ko, de, ko]"}, `organisation.yaml:4:17: organisation: languages "de": want en or ko
organisation.yaml:4:21: organisation: languages "ko": named twice`},
		{change{"organisation.yaml", "languages: [ko, en]", "languages: []"}, `organisation.yaml:4:12: organisation: languages: none; want at least one`},
		{change{"organisation.yaml", "https://muster", "ftp://muster"}, `organisation.yaml:5:13: organisation: public_url "ftp://muster.example.com": want a URL that begins with https:// or http://`},
		{change{"organisation.yaml", "10.0.0.0/8", "10.0.0.1/8"}, `organisation.yaml:6:16: organisation: own_networks "10.0.0.1/8": want a network, such as 10.20.0.0/16 or 127.0.0.1/32`},
		{change{"organisation.yaml", "public_url", "publicurl"}, `organisation.yaml:5:1: organisation: unknown key "publicurl"; did you mean public_url?`},
		{change{"organisation.yaml", "tickets:\n  system: webhook", "tickets:\n  system: local"}, `organisation.yaml:16:8: organisation: tickets: url: want none, because tickets of the system local are files
organisation.yaml:17:11: organisation: tickets: secret: want none, because tickets of the system local are files`},
		{change{"organisation.yaml", "system: webhook", "system: jura"}, `organisation.yaml:15:11: organisation: tickets: system "jura": want local, webhook, jira, servicenow, github, gitlab, azure-devops or redmine`},
		{change{"organisation.yaml", "url: env:TICKETS_URL", "url: env:TICKETS-URL"}, `organisation.yaml:16:8: organisation: tickets: url <secret>: want a URL that begins with https:// or http://, or a reference to one, such as env:PARK_URL`},
		{change{"organisation.yaml", "url: env:TICKETS_URL\n", "url: https://token@tickets.example.com\n"}, `organisation.yaml:16:8: organisation: tickets: url <secret>: want a URL that begins with https:// or http://, or a reference to one, such as env:PARK_URL`},
		{change{"organisation.yaml", "secret: file:secrets/tickets", "secret: hunter2"}, `organisation.yaml:17:11: organisation: tickets: secret <secret>: want a reference to a secret, env:NAME or file:PATH: the secret itself never stands in this folder`},
		{change{"organisation.yaml", "  port: 587", "  port: 0587"}, `organisation.yaml:9:9: organisation: mail: port "0587": want a port from 1 to 65535`},
		{change{"organisation.yaml", "  password: env:SMTP_PASSWORD\n", ""}, `organisation.yaml:8:3: organisation: mail: want user and password together, or neither`},
		{change{"organisation.yaml", "security: starttls", "security: none"}, `organisation.yaml:10:13: organisation: mail: security none: want starttls or tls, because a password is never sent in plain text`},
		{change{"organisation.yaml", "from: Muster <muster@example.com>", "from: Muster"}, `organisation.yaml:11:9: organisation: mail: from "Muster": want a mail address, such as Muster <muster@example.com>`},
		{change{"organisation.yaml", "fallback:\n  type: email\n  address: noc@example.com\n", ""}, `organisation.yaml:1:1: organisation: fallback: missing; want keys and values`},
		{change{"organisation.yaml", "mail:\n  host: mail.example.com\n  port: 587\n  security: starttls\n  from: Muster <muster@example.com>\n  user: muster\n  password: env:SMTP_PASSWORD\n", ""}, `customers.yaml:9:38: customer shopco: contact desk: method mail: type email: organisation.yaml says nothing of mail; want mail there, with host and from
customers.yaml:13:38: customer shopco: contact boss: method mail: type email: organisation.yaml says nothing of mail; want mail there, with host and from
organisation.yaml:12:9: organisation: fallback: type email: organisation.yaml says nothing of mail; want mail there, with host and from
people.yaml:11:15: person kim: method mail: type email: organisation.yaml says nothing of mail; want mail there, with host and from`},
		{change{"organisation.yaml", "mail:\n  host: mail.example.com", "mail: smtp\nx:\n  host: mail.example.com"}, `organisation.yaml:7:7: organisation: mail: got "smtp"; want keys and values
organisation.yaml:8:1: organisation: unknown key "x"; known: id, name, zone, languages, public_url, own_networks, mail, sign_in, runners, channels, tickets, status_pages, update_approval, roles, problems, requests, risks, contact_tests, records, fallback`},
		{change{"sources.yaml", "id: lab", "id: prometheus"}, `sources.yaml:5:9: source prometheus: id "prometheus": taken by sources.yaml:2`},
		{change{"sources.yaml", "token: env:PROMETHEUS_TOKEN", "token: s3cr3t"}, `sources.yaml:4:12: source prometheus: token <secret>: want a reference to a secret, env:NAME or file:PATH: the secret itself never stands in this folder`},
		{change{"sources.yaml", "token: env", "tokn: env"}, `sources.yaml:4:5: source prometheus: unknown key "tokn"; did you mean token?`},
		{change{"sources.yaml", "sources:", "source:"}, `sources.yaml:1:1: file: sources: missing; want a list
sources.yaml:1:1: file: unknown key "source"; did you mean sources?`},
		{change{"people.yaml", "id: park", "id: kim"}, `escalation-policies.yaml:5:20: policy std: step 2: targets "park": no such person; known: kim, yoon, han
escalation-policies.yaml:7:29: policy std: last_resort: targets "park": no such person; known: kim, yoon, han
people.yaml:13:9: person kim: id "kim": taken by people.yaml:2
schedules.yaml:9:23: schedule primary: layer weeks: people "park": no such person; known: kim, yoon, han
schedules.yaml:13:17: schedule primary: override 1: person "park": no such person; known: kim, yoon, han
services.yaml:10:32: service shop: roles: communications-manager "park": no such person; known: kim, yoon, han
services.yaml:11:25: service shop: roles: support-manager "park": no such person; known: kim, yoon, han`},
		{change{"people.yaml", "    language: ko\n", ""}, `people.yaml:2:5: person kim: language: missing; want en or ko`},
		{change{"people.yaml", "name: 김민수", "nam: 김민수"}, `people.yaml:2:5: person kim: name: missing; want a name on one line, of at most 200 characters
people.yaml:3:5: person kim: unknown key "nam"; did you mean name?`},
		{change{"people.yaml", "type: webhook", "type: fax"}, `people.yaml:7:15: person kim: method chat: type "fax": want console, file, webhook, email, slack, teams, mattermost, google-chat, discord, ntfy, kakaowork, sms, voice or pagerduty`},
		{change{"people.yaml", "        secret: env:KIM_SECRET\n", ""}, `people.yaml:6:9: person kim: method chat: secret: missing; want a reference to a secret, env:NAME or file:PATH: the secret itself never stands in this folder`},
		{change{"people.yaml", "address: kim@example.com", "address: Kim <kim@example.com>"}, `people.yaml:12:18: person kim: method mail: address "Kim <kim@example.com>": want a mail address, such as park@example.com, or a reference to one`},
		{change{"people.yaml", "https://hooks.example.com/very-secret", "hooks.example.com/very-secret"}, `people.yaml:19:18: person park: method hook: address <secret>: want a URL that begins with https:// or http://, or a reference to one, such as env:PARK_URL`},
		{change{"people.yaml", "{name: desk, type: console}", "{name: desk, type: console, address: here, secret: env:X}"}, `people.yaml:21:46: person park: method desk: address: want none, because the type console has no address
people.yaml:21:60: person park: method desk: secret: want none, because the type console has none of its own`},
		{change{"people.yaml", "address: park.jsonl", "address: ../park.jsonl"}, `people.yaml:22:42: person park: method log: address "../park.jsonl": want the plain name of a file, such as park.jsonl`},
		{change{"people.yaml", "address: park.jsonl", "address: env:PARK_FILE"}, `people.yaml:22:42: person park: method log: address "env:PARK_FILE": want the plain name of a file, such as park.jsonl`},
		{change{"people.yaml", "name: log,", "name: desk,"}, `people.yaml:22:16: person park: method desk: name "desk": named twice`},
		{change{"people.yaml", "      - name: chat\n        type: webhook\n        address: env:KIM_URL\n        secret: env:KIM_SECRET\n      - name: mail\n        type: email\n        address: kim@example.com\n", "      []\n"}, `people.yaml:6:7: person kim: methods: none; want at least one`},
		{change{"parties.yaml", "id: hanbit", "id: Hanbit"}, `parties.yaml:2:9: party 1: id "Hanbit": want lower-case letters, digits and hyphens, at most 63, such as web-1
people.yaml:28:12: person yoon: party "hanbit": no such party; known: acme, mega, shopco
services.yaml:17:16: service shop: partners "hanbit": no such party; known: acme, mega, shopco`},
		{change{"parties.yaml", "kind: partner", "kind: customer"}, `parties.yaml:4:11: party hanbit: kind "customer": want partner or vendor
services.yaml:17:16: service shop: partners "hanbit": a customer; want a partner or vendor of parties.yaml`},
		{change{"parties.yaml", "    name: 한빛클라우드\n", ""}, `parties.yaml:2:5: party hanbit: name: missing; want a name on one line, of at most 200 characters`},
		{change{"parties.yaml", "kind: vendor", "kind: vendor\n    contact: none"}, `parties.yaml:8:5: party mega: unknown key "contact"; known: id, name, kind, support`},
		{change{"parties.yaml", "id: mega", "id: hanbit"}, `parties.yaml:5:9: party hanbit: id "hanbit": taken by parties.yaml:2
services.yaml:17:24: service shop: partners "mega": no such party; known: acme, hanbit, shopco`},
		{change{"parties.yaml", "id: mega", "id: acme"}, `parties.yaml:5:9: party acme: id "acme": taken by organisation.yaml:1
services.yaml:17:24: service shop: partners "mega": no such party; known: acme, hanbit, shopco`},
		{change{"parties.yaml", "parties:", "party:"}, `parties.yaml:1:1: file: parties: missing; want a list
parties.yaml:1:1: file: unknown key "party"; known: parties`},
		{change{"parties.yaml", "parties:", "parties: none\nold:"}, `parties.yaml:1:10: file: parties: got "none"; want a list
parties.yaml:2:1: file: unknown key "old"; known: parties`},
		{change{"parties.yaml", "kind: vendor", "kind: &k vendor"}, `parties.yaml:7:11: anchors (&) and aliases (*) are not allowed: write the value out`},
		{change{"customers.yaml", "id: shopco", "id: mega"}, `customers.yaml:2:9: customer mega: id "mega": taken by parties.yaml:5
people.yaml:34:12: person han: party "shopco": no such party; known: acme, hanbit, mega
services.yaml:4:17: service shop: customers "shopco": no such customer; known: mega
services.yaml:17:24: service shop: partners "mega": a customer; want a partner or vendor of parties.yaml`},
		{change{"customers.yaml", "roles: [responder]", "roles: [boss]"}, `customers.yaml:14:17: customer shopco: contact boss: roles "boss": want administrator, responder, auditor or member`},
		{change{"customers.yaml", "roles: [responder]", "roles: []"}, `customers.yaml:14:16: customer shopco: contact boss: roles: none; want at least one`},
		{change{"people.yaml", "party: hanbit", "party: hanbitt"}, `people.yaml:28:12: person yoon: party "hanbitt": no such party; did you mean hanbit?`},
		{change{"people.yaml", "party: hanbit", "party: [hanbit]"}, `people.yaml:28:12: person yoon: party: got a list; want the ID of a party`},
		{change{"people.yaml", "roles: [responder]", "roles: responder"}, `people.yaml:29:12: person yoon: roles: got "responder"; want a list`},
		{change{"people.yaml", "roles: [responder]", "roles: []"}, `people.yaml:29:12: person yoon: roles: none; want at least one`},
		{change{"people.yaml", "roles: [responder]", "roles: [responder, operator, responder]"}, `people.yaml:29:24: person yoon: roles "operator": want administrator, responder, auditor or member
people.yaml:29:34: person yoon: roles "responder": named twice`},
		{change{"people.yaml", "login: han@shop.example", "login: park@example.com"}, `people.yaml:35:12: person han: login "park@example.com": taken by people.yaml:24`},
		{change{"people.yaml", "login: han@shop.example", "login: \" han\""}, `people.yaml:35:12: person han: login " han": want what a sign-in provider calls somebody, such as park@example.com, of at most 200 characters`},
		{change{"people.yaml", "login: han@shop.example", "login: \"\""}, `people.yaml:35:12: person han: login "": want what a sign-in provider calls somebody, such as park@example.com, of at most 200 characters`},
		{change{"schedules.yaml", "people: [kim, park]", "people: [kim, han]"}, `schedules.yaml:9:23: schedule primary: layer weeks: people "han": a person of customer shopco, and a customer's people are never paged; want somebody else`},
		{change{"schedules.yaml", "        person: park\n", "        person: han\n"}, `schedules.yaml:13:17: schedule primary: override 1: person "han": a person of customer shopco, and a customer's people are never paged; want somebody else`},
		{change{"escalation-policies.yaml", "{targets: [person:park], wait: 10m}", "{targets: [person:han], wait: 10m}"}, `escalation-policies.yaml:5:20: policy std: step 2: targets "han": a person of customer shopco, and a customer's people are never paged; want somebody else`},
		{change{"escalation-policies.yaml", "last_resort: {targets: [person:park]", "last_resort: {targets: [person:park, person:han]"}, `escalation-policies.yaml:7:42: policy std: last_resort: targets "han": a person of customer shopco, and a customer's people are never paged; want somebody else`},
		{change{"services.yaml", "support-manager: [person:park]", "support-manager: [person:han]"}, `services.yaml:11:25: service shop: roles: support-manager "han": a person of customer shopco, and a customer's people are never paged; want somebody else`},
		{change{"services.yaml", "partners: [hanbit, mega]", "partners: [acme, shopco]"}, `services.yaml:17:16: service shop: partners "acme": a provider; want a partner or vendor of parties.yaml
services.yaml:17:22: service shop: partners "shopco": a customer; want a partner or vendor of parties.yaml`},
		{change{"services.yaml", "partners: [hanbit, mega]", "partners: [hanbit, mega, hanbit]"}, `services.yaml:17:30: service shop: partners "hanbit": named twice`},
		{change{"services.yaml", "partners: [hanbit, mega]", "partners: [megah, {id: mega}]"}, `services.yaml:17:16: service shop: partners "megah": no such party; did you mean mega?
services.yaml:17:23: service shop: partners: got 1 key; want the ID of a party`},
		{change{"services.yaml", "partners: [hanbit, mega]", "partners: mega"}, `services.yaml:17:15: service shop: partners: got "mega"; want a list`},
		{change{"organisation.yaml", "issuer: https", "issuer: http"}, `organisation.yaml:22:11: organisation: sign_in: issuer "http://login.example.com/acme": want a URL that begins with https://, without ? and #, such as https://login.example.com`},
		{change{"organisation.yaml", "/acme\n", "/acme?tenant=1\n"}, `organisation.yaml:22:11: organisation: sign_in: issuer "https://login.example.com/acme?tenant=1": want a URL that begins with https://, without ? and #, such as https://login.example.com`},
		{change{"organisation.yaml", "  client_id: muster\n", ""}, `organisation.yaml:22:3: organisation: sign_in: client_id: missing; want a name on one line, of at most 200 characters`},
		{change{"organisation.yaml", "client_secret: env:SIGN_IN_SECRET", "client_secret: hunter2"}, `organisation.yaml:24:18: organisation: sign_in: client_secret <secret>: want a reference to a secret, env:NAME or file:PATH: the secret itself never stands in this folder`},
		{change{"organisation.yaml", "login_claim: preferred_username", "login_claim: upn"}, `organisation.yaml:25:16: organisation: sign_in: login_claim "upn": want email, sub or preferred_username`},
		{change{"organisation.yaml", "groups_claim: teams", "groups_claim: [teams]"}, `organisation.yaml:26:17: organisation: sign_in: groups_claim: got a list; want a word`},
		{change{"organisation.yaml", "role: administrator", "role: admin"}, `organisation.yaml:29:32: organisation: sign_in: role 2: role "admin": want administrator, responder, auditor or member`},
		{change{"organisation.yaml", "{group: NOC leads, role: administrator}", "{group: NOC, role: responder}"}, `organisation.yaml:29:7: organisation: sign_in: role 2: group "NOC" has the role responder already`},
		{change{"organisation.yaml", "{group: NOC leads, role: administrator}", "{group: \"\", role: member}"}, `organisation.yaml:29:15: organisation: sign_in: role 2: group "": want what a sign-in provider calls a group, of at most 200 characters`},
		{change{"organisation.yaml", "groups_claim: teams", "group_claim: teams"}, `organisation.yaml:26:3: organisation: sign_in: unknown key "group_claim"; did you mean groups_claim?`},
		{change{"organisation.yaml", "sign_in:\n", "sign_in: yes\nold:\n"}, `organisation.yaml:21:10: organisation: sign_in: got "yes"; want keys and values
organisation.yaml:22:1: organisation: unknown key "old"; known: id, name, zone, languages, public_url, own_networks, mail, sign_in, runners, channels, tickets, status_pages, update_approval, roles, problems, requests, risks, contact_tests, records, fallback`},
		{change{"support-plans.yaml", "coverage: 24x7", "coverage: 8x5"}, `support-plans.yaml:4:15: support plan gold: coverage "8x5": want 24x7 or a calendar; known: office`},
		{change{"support-plans.yaml", "coverage: 24x7", "coverage: ofice"}, `support-plans.yaml:4:15: support plan gold: coverage "ofice": want 24x7 or a calendar; did you mean office?`},
		{change{"calendars.yaml", "id: office", "id: 24x7"}, `calendars.yaml:2:9: calendar 24x7: id "24x7": it means around the clock, without a calendar; want another name
escalation-policies.yaml:19:17: policy std: variant 2: out_of "office": no such calendar; known: 24x7
services.yaml:14:150: service shop: review: calendar "office": no such calendar; known: 24x7
support-plans.yaml:10:50: support plan gold: targets: P4: resolve: in "office": want 24x7 or a calendar; known: 24x7`},
		{change{"support-plans.yaml", "at_risk: 80", "at_risk: 80%"}, `support-plans.yaml:5:14: support plan gold: at_risk "80%": want a percentage from 1 to 99`},
		{change{"support-plans.yaml", "at_risk: 80", "at_risk: 100"}, `support-plans.yaml:5:14: support plan gold: at_risk "100": want a percentage from 1 to 99`},
		{change{"support-plans.yaml", "update_by: engine", "update_by: robot"}, `support-plans.yaml:6:16: support plan gold: update_by "robot": want engine or person`},
		{change{"support-plans.yaml", "respond: 15m", "respond: 15"}, `support-plans.yaml:8:21: support plan gold: targets: P1: respond "15": want a time of more than 0s, such as 15m, 4h or 2d, where a day is 24 hours, at most 366d, or working days, such as 5 working days`},
		{change{"support-plans.yaml", "respond: 15m", "respond: 0m"}, `support-plans.yaml:8:21: support plan gold: targets: P1: respond "0m": want a time of more than 0s, such as 15m, 4h or 2d, where a day is 24 hours, at most 366d, or working days, such as 5 working days`},
		{change{"support-plans.yaml", "respond: 1d", "respond: 367d"}, `support-plans.yaml:9:21: support plan gold: targets: P3: respond "367d": want a time of more than 0s, such as 15m, 4h or 2d, where a day is 24 hours, at most 366d, or working days, such as 5 working days`},
		{change{"support-plans.yaml", "respond: 1d", "respond: 2 working days"}, `support-plans.yaml:9:21: support plan gold: targets: P3: respond: working days: want a calendar as coverage, which says what a working day is`},
		{change{"support-plans.yaml", "respond: 1d", "respond: 1 working days"}, `support-plans.yaml:9:21: support plan gold: targets: P3: respond "1 working days": want a time of more than 0s, such as 15m, 4h or 2d, where a day is 24 hours, at most 366d, or working days, such as 5 working days`},
		{change{"support-plans.yaml", "respond: 1d", "respond: {within: 2 working day, in: office}"}, `support-plans.yaml:9:30: support plan gold: targets: P3: respond: within "2 working day": want a time of more than 0s, such as 15m, 4h or 2d, where a day is 24 hours, at most 366d, or working days, such as 5 working days`},
		{change{"support-plans.yaml", "respond: 1d", "respond: {within: 1d, in: night}"}, `support-plans.yaml:9:38: support plan gold: targets: P3: respond: in "night": want 24x7 or a calendar; known: office`},
		{change{"support-plans.yaml", "respond: 1d", "respond: {within: 1d}"}, `support-plans.yaml:9:21: support plan gold: targets: P3: respond: in: missing; want 24x7 or the ID of a calendar`},
		{change{"support-plans.yaml", "respond: 1d", "respond: [1d]"}, `support-plans.yaml:9:21: support plan gold: targets: P3: respond: got a list; want a time of more than 0s, such as 15m, 4h or 2d, where a day is 24 hours, at most 366d, or working days, such as 5 working days`},
		{change{"support-plans.yaml", "update_by: engine", "update_by: engine\n    pause_for: [customer, lunch, customer]"}, `support-plans.yaml:7:27: support plan gold: pause_for "lunch": want customer or vendor
support-plans.yaml:7:34: support plan gold: pause_for "customer": named twice`},
		{change{"support-plans.yaml", "respond: 15m", "response: 15m"}, `support-plans.yaml:8:12: support plan gold: targets: P1: unknown key "response"; did you mean respond?`},
		{change{"support-plans.yaml", "P3: {respond: 1d}", "P6: {respond: 1d}"}, `support-plans.yaml:9:7: support plan gold: targets: unknown key "P6"; known: P1, P2, P3, P4, P5`},
		{change{"support-plans.yaml", "targets:\n      P1: {respond: 15m, update: 30m, resolve: 4h}\n      P3: {respond: 1d}\n      P4: {resolve: {within: 2 working days, in: office}}", "targets: {}"}, `support-plans.yaml:7:14: support plan gold: targets: none; want what is promised, such as P1: {respond: 15m}`},
		{change{"customers.yaml", "support_plan: gold", "support_plan: golf"}, `customers.yaml:5:19: customer shopco: support_plan "golf": no such support plan; did you mean gold?`},
		{change{"customers.yaml", "support_plan: gold", "support_plan: platinum"}, `customers.yaml:5:19: customer shopco: support_plan "platinum": no such support plan; known: gold`},
		{change{"customers.yaml", "id: boss", "id: desk"}, `customers.yaml:10:13: customer shopco: contact desk: id "desk": taken by customers.yaml:7`},
		{change{"customers.yaml", "name: Desk\n", "name: Desk\n        mobile: 02-123-4567\n"}, `customers.yaml:9:9: customer shopco: contact desk: unknown key "mobile"; known: id, name, language, zone, phone, methods, roles`},
		{change{"customers.yaml", "language: en", "language: english"}, `customers.yaml:12:19: customer shopco: contact boss: language "english": want en or ko`},
		{change{"customers.yaml", "methods: [{name: mail, type: email, address: boss@shop.example}]", "methods: []"}, `customers.yaml:13:18: customer shopco: contact boss: methods: none; want at least one`},
		{change{"schedules.yaml", "zone: Europe/London", "zone: Europe/Londn"}, `schedules.yaml:4:11: schedule primary: zone "Europe/Londn": want an IANA time zone, such as Asia/Seoul`},
		{change{"schedules.yaml", "start: 2026-03-16 09:00", "start: 2026-02-30 09:00"}, `schedules.yaml:7:16: schedule primary: layer weeks: start "2026-02-30 09:00": want a date and a time of day, such as 2026-11-02 09:00`},
		{change{"schedules.yaml", "start: 2026-03-16 09:00", "start: 2026-03-16"}, `schedules.yaml:7:16: schedule primary: layer weeks: start "2026-03-16": want a date and a time of day, such as 2026-11-02 09:00`},
		{change{"schedules.yaml", "shift: weekly", "shift: fortnightly"}, `schedules.yaml:8:16: schedule primary: layer weeks: shift "fortnightly": want hourly, daily, weekly, monthly, or a number of hours, days, weeks or months, such as 12 hours, at most 366`},
		{change{"schedules.yaml", "shift: weekly", "shift: 0 days"}, `schedules.yaml:8:16: schedule primary: layer weeks: shift "0 days": want hourly, daily, weekly, monthly, or a number of hours, days, weeks or months, such as 12 hours, at most 366`},
		{change{"schedules.yaml", "people: [kim, park]", "people: [kim, lee]"}, `schedules.yaml:9:23: schedule primary: layer weeks: people "lee": no such person; known: kim, park, yoon, han`},
		{change{"schedules.yaml", "people: [kim, park]", "people: []"}, `schedules.yaml:9:17: schedule primary: layer weeks: people: none; want at least one`},
		{change{"schedules.yaml", "to: 2026-03-19 09:00", "to: 2026-03-18 09:00"}, `schedules.yaml:12:13: schedule primary: override 1: to 2026-03-18 09:00: want a later time than from, 2026-03-18 09:00`},
		{change{"schedules.yaml", "        person: park\n", "        person: parc\n"}, `schedules.yaml:13:17: schedule primary: override 1: person "parc": no such person; did you mean park?`},
		{change{"escalation-policies.yaml", "    last_resort: {targets: [person:park], every: 15m}\n", ""}, `escalation-policies.yaml:2:5: policy std: last_resort: missing; want targets and every, because an unanswered page must end with somebody`},
		{change{"escalation-policies.yaml", "last_resort: {targets: [person:park], every: 15m}", "last_resort: {targets: [], every: 0s}"}, `escalation-policies.yaml:7:28: policy std: last_resort: targets: none; want at least one
escalation-policies.yaml:7:39: policy std: last_resort: every "0s": want a time of more than 0s, such as 90s, 15m, 1h30m or 2d, where a day is 24 hours, at most 366d`},
		{change{"escalation-policies.yaml", "targets: [schedule:primary]", "targets: [primary]"}, `escalation-policies.yaml:4:20: policy std: step 1: targets "primary": want schedule:ID, group:ID, person:ID, role:ROLE, engineer or vendor:ID`},
		{change{"escalation-policies.yaml", "targets: [schedule:primary]", "targets: [schedule:tertiary, person:bark, {schedule: primary}]"}, `escalation-policies.yaml:4:20: policy std: step 1: targets "tertiary": no such schedule; known: primary
escalation-policies.yaml:4:39: policy std: step 1: targets "bark": no such person; did you mean park?
escalation-policies.yaml:4:52: policy std: step 1: targets: got 1 key; want schedule:ID, group:ID, person:ID, role:ROLE, engineer or vendor:ID`},
		{change{"escalation-policies.yaml", "wait: 5m", "wait: 5min"}, `escalation-policies.yaml:4:45: policy std: step 1: wait "5min": want a time of more than 0s, such as 90s, 15m, 1h30m or 2d, where a day is 24 hours, at most 366d`},
		{change{"escalation-policies.yaml", "repeats: 1", "repeats: -1"}, `escalation-policies.yaml:6:14: policy std: repeats "-1": want a whole number from 0 to 1000`},
		{change{"escalation-policies.yaml", "    ack_expires: 1h\n", ""}, `escalation-policies.yaml:2:5: policy std: ack_expires: missing; want a time of more than 0s, such as 90s, 15m, 1h30m or 2d, where a day is 24 hours, at most 366d`},
		{change{"escalation-policies.yaml", "    steps:\n      - {targets: [schedule:primary], wait: 5m}\n      - {targets: [person:park], wait: 10m}\n", "    steps: []\n"}, `escalation-policies.yaml:3:12: policy std: steps: none; want at least one`},
		{change{"services.yaml", "customers: [shopco]", "customers: [shopco, shopco, other]"}, `services.yaml:4:25: service shop: customers "shopco": named twice
services.yaml:4:33: service shop: customers "other": no such customer; known: shopco`},
		{change{"services.yaml", "escalation_policy: std", "escalation_policy: standard"}, `services.yaml:5:24: service shop: escalation_policy "standard": no such policy; known: std`},
		{change{"services.yaml", "impact: high", "impact: critical"}, `services.yaml:6:13: service shop: impact "critical": want high, medium or low`},
		{change{"services.yaml", "      support-manager: [person:park]\n", ""}, `services.yaml:9:7: service shop: roles: support-manager: missing; want a list`},
		{change{"services.yaml", "support-manager: [person:park]", "support-manager: []"}, `services.yaml:11:24: service shop: roles: support-manager: none; want at least one`},
		{change{"services.yaml", "support-manager: [person:park]", "supportmanager: [person:park]"}, `services.yaml:9:7: service shop: roles: support-manager: missing; want a list
services.yaml:11:7: service shop: roles: unknown key "supportmanager"; did you mean support-manager?`},
		{change{"services.yaml", "quiet: 5m", "quiet: five minutes"}, `services.yaml:12:12: service shop: quiet "five minutes": want a time such as 90s, 15m, 1h30m or 2d, where a day is 24 hours, at most 366d`},
		{change{"services.yaml", "customers: true", "customers: yes"}, `services.yaml:14:44: service shop: review: customers "yes": want true or false`},
		{change{"services.yaml", "from_priority: P2", "from_priority: 2"}, `services.yaml:14:29: service shop: review: from_priority "2": want P1, P2, P3, P4 or P5`},
		{change{"services.yaml", "owner: incident-manager", "owner: kim"}, `services.yaml:14:73: service shop: review: owner "kim": want incident-manager, communications-manager or support-manager`},
		{change{"services.yaml", "draft_days: 2", "draft_days: 0"}, `services.yaml:14:103: service shop: review: draft_days "0": want a number of working days from 1 to 366`},
		{change{"services.yaml", "draft_days: 2", "draft_days: 4"}, `services.yaml:14:13: service shop: review: meeting_days: 3; want 4 or more, for draft_days comes before it`},
		{change{"services.yaml", "calendar: office, lead", "lead"}, `services.yaml:14:13: service shop: review: calendar: missing; want a calendar that says what a working day is`},
		{change{"services.yaml", "lead: [person:kim]", "lead: [person:nobody]"}, `services.yaml:14:165: service shop: review: lead "nobody": no such person; known: kim, park, yoon, han`},
		{change{"services.yaml", "https://runbooks", "runbooks"}, `services.yaml:16:30: service shop: link 1: url "runbooks.example.com/shop": want a URL that begins with https:// or http://`},
		{change{"routes.yaml", "service: shop\n    impact", "service: store\n    impact"}, `routes.yaml:5:14: route shop: service "store": no such service; known: shop`},
		{change{"routes.yaml", "match: {service: shop}", "match: shop"}, `routes.yaml:4:12: route shop: match: got "shop"; want 1 to 50 keys with values`},
		{change{"routes.yaml", "match: {service: shop}", "match: {service: [shop]}"}, `routes.yaml:4:22: route shop: match: service: got a list; want the value of a label, of at most 1000 characters`},
		{change{"routes.yaml", "match: {service: shop}", "match: {}"}, `routes.yaml:4:12: route shop: match: got 0 keys; want 1 to 50 keys with values`},
		{change{"routes.yaml", "values: {critical: high, warning: medium}", "values: {critical: urgent}"}, `routes.yaml:9:26: route shop: urgency: values: critical "urgent": want high, medium or low`},
		{change{"routes.yaml", "      otherwise: low\n", ""}, `routes.yaml:8:7: route shop: urgency: otherwise: missing; want high, medium or low`},
		{change{"routes.yaml", "  - id: rest\n    service: shop\n", "  - id: rest\n    service: shop\n    source: lab\n"}, `routes.yaml:12:5: route rest: the last route must take every alert, so that none is refused; want one without source, match and when`},
		{change{"routes.yaml", "    source: prometheus\n    match: {service: shop}\n", ""}, `routes.yaml:10:5: route rest: never taken, because route shop before it takes all such alerts`},
		{change{"routes.yaml", "routes:\n", "routes: []\nold:\n"}, `routes.yaml:1:9: file: routes: none; want at least one
routes.yaml:2:1: file: unknown key "old"; known: routes`},
		{change{"people.yaml", "language: ko", "language: ko\n    language: en"}, `people.yaml:5:5: key "language": stands in line 4 already`},
		{change{"people.yaml", "language: ko", "language: &l ko"}, `people.yaml:4:15: anchors (&) and aliases (*) are not allowed: write the value out`},
		{change{"people.yaml", "language: ko", "language: *l"}, `people.yaml:4:15: anchors (&) and aliases (*) are not allowed: write the value out`},
		{change{"people.yaml", "language: ko", "language: !!str ko"}, `people.yaml:4:15: tags (!) are not allowed: write the value alone`},
		{change{"people.yaml", "name: 김민수", "name: 김민수: 팀장"}, `people.yaml:3:14: not YAML: a ":" that begins no value here: put text with a colon in quotes, or check the indentation`},
		{change{"people.yaml", "    language: ko", "\tlanguage: ko"}, `people.yaml:4:1: not YAML: found a tab character that violates indentation`},
		{change{"people.yaml", "people:\n", "people:\n---\n"}, `people.yaml:1:1: file: people: missing; want a list
people.yaml:2:1: a second document begins here; want one per file, without another ---`},
		{change{"people.yaml", "people:\n", "? [people]\n: x\npeople:\n"}, `people.yaml:1:3: a key that is not plain text`},
		{change{"people.yaml", "people:\n", "people: [[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\n"}, `people.yaml:1:33: not YAML: lists and keys stand too deep in one another`},
		{change{"people.yaml", "language: ko", "language: \xff"}, `people.yaml: not UTF-8 text`},
		{change{"people.yaml", "language: ko", "language: \x01"}, `people.yaml: not YAML: control characters are not allowed (value: 1)`},
		{change{"people.yaml", "people:\n", "<<: {}\npeople:\n"}, `people.yaml:1:1: file: unknown key "<<"; known: people`},
	}
}

package cli

import (
	"cmp"
	"context"
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"github.com/spf13/cobra"
)

// DevOptions are the flags of muster dev.
type DevOptions struct {
	Data         string
	Org          string // empty: the example organisation, copied into the data folder
	Port         int    // of the intake and the API; 0 takes a free one
	TemporalPort int    // 0 takes a free one
	UIPort       int    // of Temporal's web UI; 0 takes a free one, -1 switches it off
	Database     string // of PostgreSQL, in which everything is kept that is no file of the data folder; empty: in files there

	Mail MailOptions

	PayloadKeys      string   // file of the keys that encrypt payloads; empty: they stay in clear
	ArchiveEncrypted bool     // with these keys
	CodecOrigins     []string // of pages that may ask for payloads in clear
}

// WorkerOptions are the flags of muster worker.
type WorkerOptions struct {
	Org, Data string
	Store     string // database of PostgreSQL for tokens, sessions and refused attempts; empty: a file of the data folder
	Keys      string // file of the keys that sign; empty: that of the data folder
	Listen    string // address for health and metrics; empty: none

	Deployment DeploymentOptions

	Archive, ArchiveKey string // where what has ended is kept, and the file of the key that signs its log; empty: nothing is kept

	PayloadKeys      string // file of the keys that encrypt payloads; empty: they stay in clear
	ArchiveEncrypted bool   // with these keys
}

// DeploymentOptions say of which version of which deployment a worker is; empty: of none.
type DeploymentOptions struct{ Name, BuildID string }

// ServeOptions are the flags of muster serve.
type ServeOptions struct {
	Org, Data string
	Store     string // database of PostgreSQL for tokens, sessions and refused attempts; empty: a file of the data folder
	Keys      string // file of the keys that sign; empty: that of the data folder
	Listen    string
	Proxies   []netip.Prefix // that say in X-Forwarded-For for whom they ask
	Mail      MailOptions
	Archive   string // where refused attempts are left for the worker that writes the archive; empty: nowhere

	PayloadKeys  string   // file of the keys that encrypt payloads; empty: they stay in clear
	CodecOrigins []string // of pages that may ask for payloads in clear
}

// MailOptions are the flags by which alerts come in by mail.
type MailOptions struct {
	Listen    string // address; empty: none do
	Cert, Key string // files of a certificate and its key; empty: mail comes in clear
}

func mailFlags(cmd *cobra.Command, o *MailOptions) {
	cmd.Flags().StringVar(&o.Listen, "mail-listen", "", "take the mails of alert sources at this `ADDRESS`, such as 0.0.0.0:25; default: none")
	cmd.Flags().StringVar(&o.Cert, "mail-cert", "", "`FILE` of the certificate for STARTTLS with its chain, read anew for every sender; default: mail comes in clear")
	cmd.Flags().StringVar(&o.Key, "mail-key", "", "`FILE` of the key of that certificate")
}

// check says which flags do not fit.
func (o MailOptions) check() error {
	if (o.Cert == "") != (o.Key == "") {
		return misused("--mail-cert, --mail-key: want both of them, or neither")
	}
	if o.Cert != "" && o.Listen == "" {
		return misused("--mail-cert: there is no --mail-listen for which it could be")
	}
	return nil
}

// DemoOptions are the flags of muster demo.
type DemoOptions struct {
	Language string
	Keep     string // folder for everything that the demo makes; empty: a temporary one
	Chapter  string // incident, outage, plan, review, change, response or routine; empty: all, one after the other
}

// demoChapters are what the demo can play.
func demoChapters() []string {
	return []string{"incident", "outage", "plan", "review", "change", "response", "routine"}
}

// BenchOptions are the flags of muster bench.
type BenchOptions struct {
	Rounds  int
	Only    []string // parts by name; empty: all
	Quick   bool
	Profile string // folder for CPU profiles; empty: none

	Database string // of PostgreSQL; empty: SQLite
}

func (a *app) streams() Streams { return Streams{Out: a.env.Stdout, Err: a.env.Stderr} }

// process makes a command that runs until it ends or is told to stop.
func (a *app) process(cmd *cobra.Command, missing bool, work func(ctx context.Context) error) *cobra.Command {
	cmd.GroupID = "run"
	if cmd.Args == nil {
		cmd.Args = wants()
	}
	cmd.ValidArgsFunction = cobra.NoFileCompletions
	cmd.RunE = a.does(func(cmd *cobra.Command, _ []string) error {
		if missing {
			return fmt.Errorf("%s: this build does not have it: build without -tags slim", cmd.CommandPath())
		}
		return work(cmd.Context())
	})
	return cmd
}

func (a *app) dev() *cobra.Command {
	var o DevOptions
	cmd := a.process(&cobra.Command{
		Use:   "dev",
		Short: "Run everything in one process on a data folder that stays",
		Long: `Run Temporal, the worker, the alert intake and the API in one process, on a data folder that survives it. Nothing else has to
be installed or running. Ctrl-C stops it; what was under way goes on when it is started again.

The first start makes a token for you, which the other commands find by themselves.`,
		Example: "  muster dev\n  muster dev --org ./org --data ./data --port 9080",
		Args: func(_ *cobra.Command, args []string) error {
			for name, port := range map[string]int{"port": o.Port, "temporal-port": o.TemporalPort, "ui-port": max(o.UIPort, 0)} {
				if port < 0 || port > 65535 {
					return misused("--%s %d: want 0 to 65535", name, port)
				}
			}
			return wants()(nil, args)
		},
	}, a.env.Process.Dev == nil, func(ctx context.Context) error {
		if err := cmp.Or(a.database(&o.Database, "--db", databaseVar), o.Mail.check(), encrypting(o.PayloadKeys, o.ArchiveEncrypted, o.CodecOrigins)); err != nil {
			return err
		}
		o.Data = a.dataFolder(o.Data)
		return a.env.Process.Dev(ctx, a.streams(), o)
	})
	a.dataFlag(cmd, &o.Data)
	a.orgFlag(cmd, &o.Org, "organisation `FOLDER`; default: MUSTER_ORG, else a copy of the example in the data folder")
	cmd.Flags().IntVar(&o.Port, "port", 8080, "`PORT` of intake and API; 0 takes a free one")
	cmd.Flags().IntVar(&o.TemporalPort, "temporal-port", 7233, "`PORT` of Temporal; 0 takes a free one")
	cmd.Flags().IntVar(&o.UIPort, "ui-port", 8233, "`PORT` of Temporal's web UI; 0 takes a free one, -1 switches it off")
	cmd.Flags().StringVar(&o.Database, "db", "", "keep everything in this `DATABASE` of PostgreSQL, and in a second one with _visibility at the end of its name: "+databaseForms+"; default: "+databaseVar+", else files of the data folder")
	mailFlags(cmd, &o.Mail)
	a.payloadKeysFlag(cmd, &o.PayloadKeys, "encrypt payloads with the keys in this `FILE`")
	archiveEncryptedFlag(cmd, &o.ArchiveEncrypted)
	codecOriginsFlag(cmd, &o.CodecOrigins)
	return cmd
}

func (a *app) worker() *cobra.Command {
	var o WorkerOptions
	cmd := a.process(&cobra.Command{
		Use:   "worker",
		Short: "Run the worker against a Temporal of your own",
		Long: `Run the workflows and their effects against the Temporal that the standard settings name (TEMPORAL_ADDRESS,
TEMPORAL_NAMESPACE, TEMPORAL_API_KEY, TEMPORAL_PROFILE and so on).`,
		Example: "  TEMPORAL_ADDRESS=temporal:7233 muster worker --org ./org --data /var/lib/muster",
	}, a.env.Process.Worker == nil, func(ctx context.Context) error {
		if err := a.wantOrg(&o.Org); err != nil {
			return err
		}
		if err := cmp.Or(a.database(&o.Store, "--store", storeVar), a.deployment(&o.Deployment, true)); err != nil {
			return err
		}
		o.Data = a.dataFolder(o.Data)
		if o.Archive == "" && o.ArchiveKey != "" {
			return misused("--archive-key: there is no --archive for which it could be the key")
		}
		if o.ArchiveEncrypted && o.Archive == "" {
			return misused("--archive-encrypted: there is no --archive")
		}
		if err := encrypting(o.PayloadKeys, o.ArchiveEncrypted, nil); err != nil {
			return err
		}
		return a.env.Process.Worker(ctx, a.streams(), o)
	})
	a.dataFlag(cmd, &o.Data)
	a.orgFlag(cmd, &o.Org, "organisation `FOLDER`; default: MUSTER_ORG")
	cmd.Flags().StringVar(&o.Listen, "listen", "", "`ADDRESS` for health and metrics; default: none")
	cmd.Flags().StringVar(&o.Archive, "archive", "", "keep what has ended in this `FOLDER` or s3://BUCKET?region=REGION; default: nothing is kept")
	cmd.Flags().StringVar(&o.ArchiveKey, "archive-key", "", "`FILE` of the key that signs its log, which muster audit keygen has made, with the public one beside it; default: archive.key in the data folder, made if it is not there")
	storeFlag(cmd, &o.Store)
	a.keysFlag(cmd, &o.Keys)
	a.payloadKeysFlag(cmd, &o.PayloadKeys, "encrypt payloads with the keys in this `FILE`, the same for all processes")
	archiveEncryptedFlag(cmd, &o.ArchiveEncrypted)
	deploymentFlags(cmd, &o.Deployment)
	cmd.AddCommand(a.promote())
	return cmd
}

const (
	deploymentVar = "TEMPORAL_DEPLOYMENT_NAME" // the names under which the Temporal Worker Controller gives both
	buildIDVar    = "TEMPORAL_WORKER_BUILD_ID"
)

func deploymentFlags(cmd *cobra.Command, o *DeploymentOptions) {
	cmd.Flags().StringVar(&o.Name, "deployment", "", "`NAME` of the deployment whose workers take work by version; default: "+deploymentVar+", else work is taken whatever the version")
	cmd.Flags().StringVar(&o.BuildID, "build-id", "", "`VERSION` within the deployment; default: "+buildIDVar+", else that of this program")
}

// deployment fills in what the flags do not say, a version where one is wanted, and refuses one that is none.
func (a *app) deployment(o *DeploymentOptions, versioned bool) error {
	o.Name = cmp.Or(o.Name, a.env.Getenv(deploymentVar))
	switch {
	case o.Name == "" && o.BuildID != "":
		return misused("--build-id %s: there is no --deployment in which it could be", o.BuildID)
	case o.Name == "" && a.env.Getenv(buildIDVar) != "":
		return misused("%s %s: there is no %s in which it could be", buildIDVar, a.env.Getenv(buildIDVar), deploymentVar)
	case o.Name == "":
		return nil
	case strings.Contains(o.Name, "."):
		return misused("--deployment %s: want a name without full stops", o.Name)
	case !versioned:
		return nil
	}
	program := a.env.Process.Version.Version
	if program == "dev" {
		program = ""
	}
	if o.BuildID = cmp.Or(o.BuildID, a.env.Getenv(buildIDVar), program); o.BuildID == "" {
		return misused("--build-id: this program was built without a version: give one, or %s", buildIDVar)
	}
	return nil
}

// promotionWords are the words of one language about who has the work of a deployment.
type promotionWords struct{ already, first, instead, back, free string }

func promotionWordsIn(language string) promotionWords {
	if language == "ko" {
		return promotionWords{
			already: "배포 %s: 작업을 맡은 버전은 이미 %s입니다", first: "배포 %s: 이제 작업을 맡는 버전은 %s입니다",
			instead: "배포 %s: 이제 작업을 맡는 버전은 %s입니다. 이전 버전은 %s입니다",
			back:    "배포 %s: 이제 버전 없는 작업자가 작업을 맡습니다. 이전 버전은 %s입니다", free: "배포 %s: 작업은 이미 버전 없는 작업자가 맡고 있습니다",
		}
	}
	return promotionWords{
		already: "deployment %s: version %s has the work already", first: "deployment %s: version %s has the work now",
		instead: "deployment %s: version %s has the work now, %s had it before",
		back:    "deployment %s: workers without a version have the work now, %s had it before", free: "deployment %s: workers without a version have the work already",
	}
}

func (a *app) promote() *cobra.Command {
	var o DeploymentOptions
	var unversioned bool
	cmd := &cobra.Command{
		Use:   "promote",
		Short: "Give the work of a deployment to the workers of a version",
		Long: `Give all work of a deployment to the workers of one version, on the Temporal that the standard settings name. What runs goes on
with them at its next step; workers of other versions take nothing any more, and can be stopped. A version of which no worker has come yet
is refused. With --unversioned the work goes back to workers that have no deployment, such as that of muster dev.`,
		Example: "  TEMPORAL_ADDRESS=temporal:7233 muster worker promote --deployment muster --build-id v1.5.0\n  muster worker promote --deployment muster --unversioned",
		Args:    wants(),
		RunE: a.does(func(cmd *cobra.Command, _ []string) error {
			if unversioned && o.BuildID != "" {
				return misused("--build-id %s: with --unversioned no version has the work", o.BuildID)
			}
			if err := a.deployment(&o, !unversioned); err != nil {
				return err
			}
			if o.Name == "" {
				return misused("--deployment: want its name, or %s", deploymentVar)
			}
			before, err := a.env.Process.Promote(cmd.Context(), a.streams(), o)
			if err != nil {
				return err
			}
			say := promotionWordsIn(a.language())
			switch {
			case unversioned && before == "":
				fmt.Fprintf(a.env.Stdout, say.free+"\n", o.Name)
			case unversioned:
				fmt.Fprintf(a.env.Stdout, say.back+"\n", o.Name, before)
			case before == o.BuildID:
				fmt.Fprintf(a.env.Stdout, say.already+"\n", o.Name, o.BuildID)
			case before == "":
				fmt.Fprintf(a.env.Stdout, say.first+"\n", o.Name, o.BuildID)
			default:
				fmt.Fprintf(a.env.Stdout, say.instead+"\n", o.Name, o.BuildID, before)
			}
			return nil
		}),
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	deploymentFlags(cmd, &o)
	cmd.Flags().BoolVar(&unversioned, "unversioned", false, "give the work to the workers that have no deployment")
	return cmd
}

func (a *app) serve() *cobra.Command {
	var o ServeOptions
	var proxies []string
	cmd := a.process(&cobra.Command{
		Use:   "serve",
		Short: "Run the alert intake and the API against a Temporal of your own",
		Long: `Run the alert intake and the API against the Temporal that the standard settings name (TEMPORAL_ADDRESS,
TEMPORAL_NAMESPACE, TEMPORAL_API_KEY, TEMPORAL_PROFILE and so on). The first start makes an administrator's token in the
data folder; with it, muster token makes those of the people and machines who may come in.

What goes to workflows is signed with the keys of the installation: muster worker needs the same file.`,
		Example: "  TEMPORAL_ADDRESS=temporal:7233 muster serve --org ./org --data /var/lib/muster --listen 0.0.0.0:8080",
		Args: func(_ *cobra.Command, args []string) error {
			for _, text := range proxies {
				p, err := netip.ParsePrefix(text)
				if err != nil {
					return misused("--trusted-proxies %q: want networks such as 10.0.0.0/8", text)
				}
				o.Proxies = append(o.Proxies, p)
			}
			return wants()(nil, args)
		},
	}, a.env.Process.Serve == nil, func(ctx context.Context) error {
		if err := a.wantOrg(&o.Org); err != nil {
			return err
		}
		if err := cmp.Or(a.database(&o.Store, "--store", storeVar), o.Mail.check(), encrypting(o.PayloadKeys, false, o.CodecOrigins)); err != nil {
			return err
		}
		o.Data = a.dataFolder(o.Data)
		return a.env.Process.Serve(ctx, a.streams(), o)
	})
	a.dataFlag(cmd, &o.Data)
	a.orgFlag(cmd, &o.Org, "organisation `FOLDER`; default: MUSTER_ORG")
	cmd.Flags().StringVar(&o.Listen, "listen", "127.0.0.1:8080", "`ADDRESS` of intake, API and pages")
	cmd.Flags().StringVar(&o.Archive, "archive", "", "leave refused attempts in this `FOLDER` or s3://…, the archive of the worker; default: nowhere")
	mailFlags(cmd, &o.Mail)
	cmd.Flags().StringSliceVar(&proxies, "trusted-proxies", nil, "`NETWORKS` of reverse proxies whose X-Forwarded-For is believed; default: none")
	storeFlag(cmd, &o.Store)
	a.keysFlag(cmd, &o.Keys)
	a.payloadKeysFlag(cmd, &o.PayloadKeys, "encrypt payloads with the keys in this `FILE`, the same for all processes")
	codecOriginsFlag(cmd, &o.CodecOrigins)
	return cmd
}

func (a *app) demo() *cobra.Command {
	var o DemoOptions
	cmd := a.process(&cobra.Command{
		Use:   "demo [" + strings.Join(demoChapters(), "|") + "]",
		Short: "Run outages, an upgrade, a review, changes, an automatic response and a month of checks, and check each step",
		Long: `Run Muster's work in a temporary folder, in about a minute, and check each step: an incident from a posted alert to its close, an
outage that two customers call about, an upgrade that a freeze holds and whose first try is rolled back, and the review of the
incident, up to a text that its customer reads and an action item that is verified; a change that is approved beforehand, and one that
cannot wait; an automatic response that repairs, until it has failed too often; and checks that come back, of which one is missed; or
one of them, the review after its incident. The timeline is printed as it happens. It fails with the step that did not happen.`,
		Example: "  muster demo\n  muster demo plan\n  muster demo --lang ko --keep ./demo",
		Args: func(_ *cobra.Command, args []string) error {
			if !slices.Contains(languages(), o.Language) {
				return misused("--lang %q: want %s", o.Language, joined(languages()))
			}
			switch {
			case len(args) == 0:
				return nil
			case len(args) > 1 || !slices.Contains(demoChapters(), args[0]):
				return misused("demo %s: want %s", strings.Join(args, " "), joined(demoChapters()))
			}
			o.Chapter = args[0]
			return nil
		},
	}, a.env.Process.Demo == nil, func(ctx context.Context) error { return a.env.Process.Demo(ctx, a.streams(), o) })
	cmd.Flags().StringVar(&o.Language, "lang", "en", "`LANGUAGE`: "+joined(languages()))
	cmd.Flags().StringVar(&o.Keep, "keep", "", "keep everything that the demo makes in this `FOLDER`")
	_ = cmd.RegisterFlagCompletionFunc("lang", completions(languages()))
	_ = cmd.MarkFlagDirname("keep")
	return cmd
}

func (a *app) bench() *cobra.Command {
	var o BenchOptions
	cmd := a.process(&cobra.Command{
		Use:   "bench",
		Short: "Measure against a workflow written by hand",
		Long: `Measure what Muster costs beside a minimal workflow written by hand, on this machine. With --db both run on PostgreSQL: databases
whose names begin with that one's are made and removed. What takes long, workers and growth, runs when --only names it.`,
		Example: "  muster bench\n  muster bench --quick --only life,firstpage\n  muster bench --db postgres://muster@127.0.0.1/bench --only workers,growth",
		Args: func(_ *cobra.Command, args []string) error {
			if o.Rounds < 1 {
				return misused("--rounds %d: want 1 or more", o.Rounds)
			}
			return cmp.Or(unguarded(o.Database, "--db", "a variable as env:NAME"), wants()(nil, args))
		},
	}, a.env.Process.Bench == nil, func(ctx context.Context) error { return a.env.Process.Bench(ctx, a.streams(), o) })
	cmd.Flags().IntVar(&o.Rounds, "rounds", 5, "so `OFTEN`, interleaved; medians count")
	cmd.Flags().StringSliceVar(&o.Only, "only", nil, "only these `PARTS`: "+cmp.Or(joined(a.env.Process.BenchParts), "this build has none"))
	_ = cmd.RegisterFlagCompletionFunc("only", completions(a.env.Process.BenchParts))
	cmd.Flags().BoolVar(&o.Quick, "quick", false, "less of everything: to see that it works, not to compare")
	cmd.Flags().StringVar(&o.Database, "db", "", "run on this `DATABASE` of PostgreSQL: "+databaseForms+"; default: SQLite")
	cmd.Flags().StringVar(&o.Profile, "profile", "", "write a CPU profile of each part into `FOLDER`")
	return cmd
}

const (
	databaseVar   = "MUSTER_DB"
	storeVar      = "MUSTER_STORE"
	databaseForms = "postgres://USER@HOST/NAME, or file:PATH or env:NAME of what holds such a URL"
)

func storeFlag(cmd *cobra.Command, into *string) {
	cmd.Flags().StringVar(into, "store", "", "keep tokens, sessions and refused attempts in this `DATABASE` of PostgreSQL, the same for all processes: "+databaseForms+"; default: "+storeVar+", else a file of the data folder")
}

// database is the database of a flag, else of a variable.
func (a *app) database(of *string, flag, variable string) error {
	if err := unguarded(*of, flag, variable); err != nil {
		return err
	}
	*of = cmp.Or(*of, a.env.Getenv(variable))
	return nil
}

// unguarded refuses a password in a flag: whoever lists processes sees flags.
func unguarded(where, flag, better string) error {
	if where == "" || strings.HasPrefix(where, "file:") || strings.HasPrefix(where, "env:") {
		return nil
	}
	u, err := url.Parse(where)
	if err != nil || u.Scheme != "postgres" && u.Scheme != "postgresql" {
		return misused("%s: want %s", flag, databaseForms)
	}
	alone := "PGPASSWORD or PGPASSFILE"
	if _, there := u.User.Password(); !there && !u.Query().Has("password") {
		if !u.Query().Has("sslpassword") {
			return nil
		}
		alone = "PGSSLPASSWORD"
	}
	return misused("%s: others could read the password of this URL: give it as file:PATH or in %s, or the password alone in %s", flag, better, alone)
}

func (a *app) keysFlag(cmd *cobra.Command, into *string) {
	cmd.Flags().StringVar(into, "keys", "", "`FILE` of the keys that sign what goes to workflows, the same for all processes; default: keys.json in the data folder")
	_ = cmd.MarkFlagFilename("keys", "json")
}

const payloadKeysVar = "MUSTER_PAYLOAD_KEYS"

func (a *app) payloadKeysFlag(cmd *cobra.Command, into *string, usage string) {
	const name = "payload-keys"
	cmd.Flags().StringVar(into, name, a.env.Getenv(payloadKeysVar), usage+"; default: "+payloadKeysVar)
	cmd.Flags().Lookup(name).DefValue = "" // the help says the same on every machine
	_ = cmd.MarkFlagFilename(name, "json")
}

func archiveEncryptedFlag(cmd *cobra.Command, into *bool) {
	cmd.Flags().BoolVar(into, "archive-encrypted", false, "encrypt what is archived, too: to read it, auditors need --payload-keys")
}

func codecOriginsFlag(cmd *cobra.Command, into *[]string) {
	cmd.Flags().StringSliceVar(into, "codec-origins", nil, "`ORIGINS` of pages of Temporal's UI that may ask for payloads in clear, such as https://temporal.example.com; default: none")
}

// encrypting asks that what needs payload keys has them, and that origins are such.
func encrypting(keys string, archive bool, origins []string) error {
	switch {
	case keys == "" && archive:
		return misused("--archive-encrypted: there are no --payload-keys to encrypt with")
	case keys == "" && len(origins) > 0:
		return misused("--codec-origins: there are no --payload-keys to decrypt with")
	}
	for _, o := range origins {
		u, err := url.Parse(o)
		usual := map[string]string{"https": "443", "http": "80"}
		if err != nil || usual[u.Scheme] == "" || u.Host == "" || u.Port() == usual[u.Scheme] || strings.ToLower(u.Scheme+"://"+u.Host) != o {
			return misused("--codec-origins %q: want such as https://temporal.example.com, as browsers write it: in lower case, without a path or the usual port", o)
		}
	}
	return nil
}

func (a *app) orgFlag(cmd *cobra.Command, into *string, usage string) {
	cmd.Flags().StringVar(into, "org", a.env.Getenv("MUSTER_ORG"), usage)
	cmd.Flags().Lookup("org").DefValue = "" // the help says the same on every machine
	_ = cmd.MarkFlagDirname("org")
}

func (a *app) wantOrg(org *string) error {
	if *org == "" {
		return misused("--org: missing; it names the organisation folder")
	}
	return nil
}

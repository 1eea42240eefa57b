package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"muster/internal/bundle"
	"muster/internal/wholefile"
)

// proofWords are the words of one language about keys and proofs.
type proofWords struct {
	alone, inLog, onlyInLog, log, since string // what is proven

	private, public string // a key that was made
}

func proofWordsIn(language string) proofWords {
	if language == "ko" {
		return proofWords{
			alone: "%s: 파일 자체는 온전함, 로그와는 대조하지 않음 (%s, %s)", inLog: "%s: 온전함, 로그의 %d번 항목 (%s, %s)", onlyInLog: "%s: 온전함, 로그의 %d번 항목 (%s)",
			log: "%s: 로그 %s 온전함, 항목 %d건, 루트 %s, 서명 키 %s", since: "%s: 당시의 항목 %d건이 로그에 그대로 있음",
			private: "개인 키: %s (이 파일을 가진 사람은 누구나 로그에 서명할 수 있습니다. 사본은 다른 곳에 안전하게 보관하십시오)",
			public:  "공개 키: %s (검증할 사람에게 전달하십시오)",
		}
	}
	return proofWords{
		alone: "%s: intact in itself; not checked against a log (%s, %s)", inLog: "%s: intact, entry %d of the log (%s, %s)", onlyInLog: "%s: intact, entry %d of the log (%s)",
		log: "%s: log %s intact, %d entries, root %s, signed by %s", since: "%s: its %d entries stand in the log as they did",
		private: "private key: %s (whoever has this file can sign for the log; keep a copy where nobody else gets at it)",
		public:  "public key: %s (for whoever verifies)",
	}
}

// A logKey is a pair of keys that was made.
type logKey struct {
	Name    string `json:"name"`
	Public  string `json:"public_key"`
	PubFile string `json:"public_file"`
	KeyFile string `json:"private_file"`
}

func (a *app) auditKeygen() *cobra.Command {
	folder := ""
	cmd := &cobra.Command{
		Use:   "keygen NAME",
		Short: "Make the key that signs the log of an archive",
		Long: `Make the Ed25519 key that signs the log of an archive, as two files: NAME.key, which signs and which nobody else may have, and
NAME.pub, which verifies. The log goes by the same NAME: like a host name, such as archive.example.com. No file is overwritten.`,
		Example: "  muster audit keygen archive.example.com --out keys",
		Args:    wants("NAME"), ValidArgsFunction: cobra.NoFileCompletions,
		RunE: a.shows(func(_ *cobra.Command, args []string) error {
			k, err := makeKey(args[0], folder)
			if err != nil {
				return err
			}
			return a.answer(k, func(w io.Writer) {
				say := proofWordsIn(a.language())
				fmt.Fprintln(w, k.Public)
				lines(w, fmt.Sprintf(say.private+"\n"+say.public, k.KeyFile, k.PubFile))
			})
		}),
	}
	cmd.Flags().StringVar(&folder, "out", ".", "`FOLDER` for the two files; made if it is not there")
	_ = cmd.MarkFlagDirname("out")
	a.viewFlags(cmd)
	return cmd
}

func makeKey(name, folder string) (logKey, error) {
	private, public, err := bundle.NewKey(name)
	if err != nil {
		return logKey{}, err
	}
	k := logKey{Name: name, Public: public, KeyFile: filepath.Join(folder, name+".key"), PubFile: filepath.Join(folder, name+".pub")}
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return k, fmt.Errorf("make key %s: %w", name, err)
	}
	// The public half first: where it is there already, so is the private one of another day.
	for _, f := range []struct {
		path, content string
		mode          os.FileMode
	}{{k.PubFile, public, 0o644}, {k.KeyFile, private, 0o600}} {
		err := wholefile.Create(f.path, []byte(f.content+"\n"), f.mode)
		if errors.Is(err, fs.ErrExist) {
			return k, fmt.Errorf("make key %s: %s is there already, and no key is overwritten: want another name or folder", name, f.path)
		}
		if err != nil {
			return k, fmt.Errorf("make key %s: %w", name, err)
		}
	}
	return k, nil
}

// proofs are what verify answers.
type proofs struct {
	Log   *logProof   `json:"log,omitempty"`
	Files []fileProof `json:"files"`
}

type logProof struct {
	Folder string `json:"folder"`
	*bundle.Checkpoint
	Since  []sinceProof `json:"since,omitempty"`
	Faults []string     `json:"faults,omitempty"`
}

// A sinceProof is an older checkpoint that the log continues.
type sinceProof struct {
	File string `json:"file"`
	Size int64  `json:"size"`
}

type fileProof struct {
	File   string         `json:"file"`
	Intact bool           `json:"intact"`          // in itself, and where there is a log, by it
	Entry  *int64         `json:"entry,omitempty"` // of the log
	Record *bundle.Record `json:"record,omitempty"`
	Bundle *bundle.Facts  `json:"bundle,omitempty"`
	Fault  string         `json:"fault,omitempty"`
}

func (a *app) auditVerify() *cobra.Command {
	var folder, key string
	var since []string
	cmd := &cobra.Command{
		Use:   "verify [FILE...] [--log FOLDER --key FILE [--since FILE]]",
		Short: "Prove that files of an archive are what they were",
		Long: `Prove that files of an archive are what they were, with nothing but the files: no server, no network. A bundle is checked in
itself: every byte of it counts. That tells an accident, and not somebody who makes another bundle.

With --log and --key the log is proven too, and that each file is the one that was archived under its name. With --since, that
the log still has every entry that it had when a checkpoint was signed: keep one where the owner of the archive cannot reach
it, such as a copy of the newest file of the log. What differs is said file by file.`,
		Example: "  muster audit verify " + anID + ".tar\n  muster audit verify *.tar --log archive/log --key archive.example.com.pub --since kept.txt\n" +
			"  muster audit verify --log archive/log --key archive.example.com.pub -o json",
		DisableFlagsInUseLine: true,
		Args: func(_ *cobra.Command, args []string) error {
			switch {
			case folder == "" && len(args) == 0:
				return misused("FILE: missing; want bundles, or --log")
			case folder != "" && key == "":
				return misused("--key: missing; it names the file with the public key of the log, which muster audit keygen has made")
			case folder == "" && key != "":
				return misused("--key: there is no --log for which it could be the key")
			case folder == "" && len(since) > 0:
				return misused("--since: there is no --log that could be compared with it")
			}
			return nil
		},
		RunE: a.shows(func(cmd *cobra.Command, args []string) error {
			l, p, faults := proveLog(cmd.Context(), folder, key, since)
			all := proofs{Log: p, Files: []fileProof{}}
			for _, file := range args {
				f, err := proveFile(file, l)
				all.Files, faults = append(all.Files, f), append(faults, err)
			}
			if err := a.answer(all, func(w io.Writer) { a.showProofs(w, all) }); err != nil {
				return err
			}
			err := errors.Join(faults...)
			if err != nil && a.view.output != "table" {
				return errors.New("verify: not everything is what it was")
			}
			return err
		}),
	}
	cmd.Flags().StringVar(&folder, "log", "", "`FOLDER` with the log of the archive")
	cmd.Flags().StringVar(&key, "key", "", "`FILE` with the public key of the log, or with all that it has had, one a line")
	cmd.Flags().StringArrayVar(&since, "since", nil, "`FILE` with a checkpoint of the log, or a copy of a file of the log, that was kept; more than once for more")
	_ = cmd.MarkFlagDirname("log")
	_ = cmd.MarkFlagFilename("key", "pub")
	a.viewFlags(cmd)
	return cmd
}

// proveLog proves a log, and that it continues older checkpoints. Where it is not proven, there is none to prove files by.
func proveLog(ctx context.Context, folder, key string, since []string) (*bundle.Log, *logProof, []error) {
	if folder == "" {
		return nil, nil, nil
	}
	p := &logProof{Folder: folder}
	var faults []error
	fault := func(err error) {
		faults, p.Faults = append(faults, err), append(p.Faults, err.Error())
	}
	text, err := bundle.Load(key, mostKey)
	if err != nil {
		fault(fmt.Errorf("read public key: %w", err))
		return nil, p, faults
	}
	k, err := bundle.ParseKeys(key, text)
	if err != nil {
		fault(err)
		return nil, p, faults
	}
	l, err := bundle.Open(ctx, bundle.Folder(folder), k)
	if err != nil {
		fault(fmt.Errorf("%s: %w", folder, err))
		return nil, p, faults
	}
	newest := l.Newest()
	p.Checkpoint = &newest
	for _, file := range since {
		if size, err := continues(l, k, file); err != nil {
			fault(fmt.Errorf("%s: %w", folder, err))
		} else {
			p.Since = append(p.Since, sinceProof{file, size})
		}
	}
	return l, p, faults
}

func continues(l *bundle.Log, k bundle.Keys, file string) (int64, error) {
	text, err := bundle.Load(file, bundle.MaxLogFile)
	if err != nil {
		return 0, fmt.Errorf("read checkpoint: %w", err)
	}
	all, err := k.CheckpointsIn(file, text)
	if err != nil {
		return 0, err
	}
	var most int64
	for _, old := range all {
		if err := l.Continues(file, old); err != nil {
			return 0, err
		}
		most = max(most, old.Size)
	}
	return most, nil
}

func proveFile(file string, l *bundle.Log) (fileProof, error) {
	f := fileProof{File: file}
	content, err := bundle.Load(file, bundle.MaxSize)
	if err != nil {
		err = fmt.Errorf("read bundle: %w", err)
		f.Fault = err.Error()
		return f, err
	}
	p, err := bundle.Verify(file, content, l)
	if err != nil {
		f.Fault = err.Error()
	}
	if f.Intact, f.Record = err == nil, p.Record; p.Record != nil {
		f.Entry = &p.Index
	}
	if p.Bundle != nil {
		f.Bundle = &p.Bundle.Facts
	}
	return f, err
}

// showProofs shows what is proven. What is not, the error says.
func (a *app) showProofs(w io.Writer, all proofs) {
	say := proofWordsIn(a.language())
	if l := all.Log; l != nil && l.Checkpoint != nil {
		lines(w, fmt.Sprintf(say.log, l.Folder, l.Log, l.Size, l.Root, l.Key))
		for _, s := range l.Since {
			lines(w, fmt.Sprintf(say.since, s.File, s.Size))
		}
	}
	for _, f := range all.Files {
		switch {
		case !f.Intact:
		case f.Bundle == nil:
			lines(w, fmt.Sprintf(say.onlyInLog, f.File, *f.Entry, f.Record.Kind))
		case f.Entry != nil:
			lines(w, fmt.Sprintf(say.inLog, f.File, *f.Entry, f.Bundle.ID, f.Bundle.Kind))
		default:
			lines(w, fmt.Sprintf(say.alone, f.File, f.Bundle.ID, f.Bundle.Kind))
		}
	}
}

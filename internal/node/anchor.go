package node

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"muster/internal/delivery"
	"muster/internal/wholefile"
)

// anchorsEvery is how often whoever keeps checkpoints elsewhere gets the newest one, where anything was archived since.
const anchorsEvery = 24 * time.Hour

// anchor sends the newest checkpoint of the archive to where the organisation folder wants it. Whoever has it can tell later that nothing
// before it was changed, even by those who have the key of the log.
func (n *Node) anchor(ctx context.Context) {
	const patience = 10 * time.Second
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if err := n.anchors(ctx); err != nil {
		n.cfg.Log.Error("checkpoint of the archive is not anchored", "error", err)
		n.alarms.tell(notAnchored, err.Error())
	}
}

func (n *Node) anchors(ctx context.Context) error {
	to, contact, there, err := n.org.Current().Anchor()
	if err != nil || !there {
		return err
	}
	newest, err := n.archive.Memory.Load()
	if err != nil || len(newest) == 0 {
		return err
	}
	file := filepath.Join(n.cfg.Data, "archive.anchored") // the checkpoint that was sent last
	before, err := os.ReadFile(file)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	sent, err := os.Stat(file)
	if bytes.Equal(before, newest) || err == nil && time.Since(sent.ModTime()) < anchorsEvery {
		return nil
	}
	if err := n.send(ctx, to, contact, checkpointMessage(to.Language, string(newest))); err != nil {
		return err
	}
	return wholefile.Write(file, newest, 0o644)
}

// checkpointMessage is what whoever keeps a checkpoint reads.
func checkpointMessage(language, checkpoint string) delivery.Message {
	name, rest, _ := strings.Cut(checkpoint, "\n")
	size, _, _ := strings.Cut(rest, "\n")
	subject, text := "[Muster] Checkpoint of the archive %s: %s entries", "Please keep this message. It proves later that none of the first %s entries of the archive was changed or dropped:\n\n"+
		"  muster audit verify --log FOLDER --key FILE --since THIS-MESSAGE.txt\n\n%s"
	if language == "ko" {
		subject, text = "[Muster] 증적 보관소 %s 체크포인트: 항목 %s건", "이 메시지를 보관해 주십시오. 증적 보관소의 처음 %s건의 항목이 바뀌거나 빠지지 않았음을 나중에 증명합니다.\n\n"+
			"  muster audit verify --log 폴더 --key 파일 --since 이-메시지.txt\n\n%s"
	}
	return delivery.Message{Kind: delivery.Checkpoint, Subject: fmt.Sprintf(subject, name, size), Text: fmt.Sprintf(text, size, checkpoint)}
}

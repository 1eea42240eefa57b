package cli

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"muster/internal/asset"
	"muster/internal/calendar"
	"muster/starter/api"
)

func (a *app) vendorNotice() *cobra.Command {
	var (
		n   api.NewVendorNotice
		key string
	)
	cmd := &cobra.Command{
		Use: "notice VENDOR REFERENCE TITLE...", Short: "Say what a vendor has said of its product: a bug, a patch, the end of support",
		Long: `Say what a vendor has said of one of its products. Each customer who has assets of that product, in one of the versions, is told which of them it
concerns; those who answer for the assets get the work, to be done by the day: a run of the plan vendor-notice. The same VENDOR and REFERENCE are
one notice, whoever says it how often.

--versions is a version, such as 16.4, or bounds that all hold, such as ">=16 <16.5"; given again, any of them will do. An asset whose version nobody
has written down counts. Numbers count as numbers, so 16.10 is newer than 16.9; letters after one are newer (1.1.1k), but for alpha, beta and rc.`,
		Example: "  muster asset notice PostgreSQL CVE-2026-4242 \"A hole in the planner\" --kind patch --product PostgreSQL --versions \">=16 <16.5\" --severity high --by 2026-12-31\n" +
			"  muster asset notice skyhost EOL-9 \"Release 9 leaves support\" --kind end-of-support --product \"SkyHost WAF\" --versions \"<10\" --by 2027-06-30",
		Args: func(_ *cobra.Command, args []string) error {
			if err := wants("VENDOR", "REFERENCE", "TITLE...")(nil, args); err != nil {
				return err
			}
			switch {
			case !slices.Contains(asset.NoticeKinds(), n.Kind):
				return misused("--kind %q: want %s", n.Kind, joined(asset.NoticeKinds()))
			case n.Severity != "" && !slices.Contains(asset.Severities(), n.Severity):
				return misused("--severity %q: want %s", n.Severity, joined(asset.Severities()))
			case n.Product == "":
				return misused("--product: missing; want it as assets have it")
			}
			if _, err := calendar.ParseDate(n.By); err != nil {
				return misused("--by %q: want the day by which something has to be done, such as 2026-12-31", n.By)
			}
			for _, v := range n.Versions {
				if !asset.Range(v).Valid() {
					return misused("--versions %q: want a version such as 16.4, or bounds such as \"<16.5\" or \">=16 <16.5\"", v)
				}
			}
			return nil
		},
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	cmd.RunE = a.asks(func(ctx context.Context, c *api.Client, args []string) (err error) {
		n.Vendor, n.Reference = args[0], args[1]
		if n.Title, err = a.text(args[2:]); err != nil {
			return err
		}
		var r api.VendorNoticeReceipt
		if err = a.once(key, func(key string) (err error) {
			r, err = c.Notice(ctx, n, key)
			return err
		}); err != nil {
			return err
		}
		return a.answer(r, func(w io.Writer) {
			if len(r.Customers) == 0 {
				a.none("it concerns no asset", "해당되는 자산이 없습니다")
				return
			}
			a.page(w, "", "").noticed(&r)
		})
	})
	f := cmd.Flags()
	f.StringVar((*string)(&n.Kind), "kind", "", "`KIND`: "+joined(asset.NoticeKinds()))
	f.StringVar(&n.Product, "product", "", "`NAME` of the product, as assets have it")
	f.StringArrayVar(&n.Versions, "versions", nil, "`VERSIONS` that it concerns; every one when left out; may be given again")
	f.StringVar((*string)(&n.Severity), "severity", "", "`SEVERITY`, as the vendor has it: "+joined(asset.Severities()))
	f.StringVar(&n.URL, "link", "", "`URL` where the vendor shows it")
	f.StringVar(&n.By, "by", "", "`DAY` by which something has to be done, such as 2026-12-31")
	keyFlag(cmd, &key)
	_ = cmd.RegisterFlagCompletionFunc("kind", completions(asset.NoticeKinds()))
	_ = cmd.RegisterFlagCompletionFunc("severity", completions(asset.Severities()))
	return cmd
}

// noticed shows one row for each customer whom a notice concerns.
func (p page) noticed(r *api.VendorNoticeReceipt) {
	say := assetLabelsIn(p.language)
	rows := [][]string{p.head(say.customer, say.ids, say.seen)}
	for _, c := range r.Customers {
		seen := string(c.Run)
		if c.Fault != "" {
			seen = p.paint(red, printable(fmt.Sprintf("%s: %s", say.unseen, c.Fault)))
		}
		rows = append(rows, []string{printable(c.Name), printable(strings.Join(c.Assets, ", ")), seen})
	}
	p.rows(p.w, rows, cut)
}

package devserver

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	stdlog "log"
	"net"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/labstack/echo/v4/middleware"
	uiconfig "github.com/temporalio/ui-server/v2/server/config"
	"github.com/temporalio/ui-server/v2/server/cors"
	"github.com/temporalio/ui-server/v2/server/csrf"
	"github.com/temporalio/ui-server/v2/server/route"
	uiassets "github.com/temporalio/ui-server/v2/ui"
)

// ui is Temporal's web UI on a listener of ours.
type ui struct {
	url    string
	server *http.Server
}

func startUI(port int, frontend, namespace string, log *logger) (*ui, error) {
	handler, err := uiHandler(frontend, namespace)
	if err != nil {
		return nil, fmt.Errorf("start web UI: %w", err)
	}
	listener, err := listen(port)
	if err != nil {
		return nil, fmt.Errorf("start web UI: %w", err)
	}
	addr := listener.Addr().String()
	u := &ui{url: "http://" + addr, server: &http.Server{
		Handler:           onlyFor(addr, handler),
		ReadHeaderTimeout: 10 * time.Second,
		ErrorLog:          stdlog.New(io.Discard, "", 0), // A browser that went away is nobody's concern.
	}}
	go func() {
		if err := u.server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			log.out.Error("web UI ended", "error", err)
		}
	}()
	return u, nil
}

func (u *ui) stop() { _ = u.server.Close() }

// onlyFor refuses requests made under another name. A web page anywhere can give its own name the address 127.0.0.1
// and then read and write here from the user's browser, as if it came from this server (DNS rebinding).
func onlyFor(addr string, next http.Handler) http.Handler {
	_, port, _ := net.SplitHostPort(addr)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Host != addr && r.Host != net.JoinHostPort("localhost", port) {
			http.Error(w, "unknown host name: use "+addr, http.StatusForbidden)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// uiHandler puts the UI's parts together as its own server does (ui-server/v2/server, NewServer). That server opens
// its port itself and ends the process when it cannot.
func uiHandler(frontend, namespace string) (http.Handler, error) {
	provider, err := uiconfig.NewConfigProviderWithRefresh(&uiconfig.Config{
		TemporalGRPCAddress: frontend,
		EnableUI:            true,
		DefaultNamespace:    namespace,
		CORS:                uiconfig.CORS{CookieInsecure: true}, // Plain HTTP, but never beyond loopback.
		// Both would look things up at Temporal's and others' sites.
		DisableNewsFetch:   true,
		NotifyOnNewVersion: false,
	})
	if err != nil {
		return nil, err
	}
	assets, err := uiassets.Assets()
	if err != nil {
		return nil, err
	}
	if assets, err = fs.Sub(assets, "local"); err != nil {
		return nil, err
	}

	e := echo.New()
	e.Logger.SetOutput(io.Discard)
	e.Use(middleware.Recover(), middleware.Gzip())
	e.Use(cors.CORSMiddleware(cors.CORSConfig{ConfigProvider: provider}))
	e.Use(middleware.Secure(), csrf.EnsureTokenCookie(false), middleware.CSRFWithConfig(csrf.MiddlewareConfig(provider, false)))
	route.SetHealthRoute(e)
	if err := route.SetAPIRoutes(e, provider, nil); err != nil {
		return nil, err
	}
	if err := route.SetUIRoutes(e, "", assets, provider); err != nil {
		return nil, err
	}
	route.SetRenderRoute(e, "/")
	return e, nil
}

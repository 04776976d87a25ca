package main

import (
	"log/slog"
	"net/http"
	"os"

	"github.com/fanfare-go/fanfare/cmd/chat/auth"
	"github.com/fanfare-go/fanfare/cmd/chat/config"
	"github.com/fanfare-go/fanfare/engine/socketio"
	"github.com/fanfare-go/fanfare/engine/socketio/adminui"
)

// adminPath is where the admin UI's page is found, beside the chat's.
const adminPath = "/admin/"

// newAdminUI opens the namespace /admin, with a login of its own; nil where it is off.
func newAdminUI(c *config.Config, server *socketio.Server, log *slog.Logger) (*adminui.UI, error) {
	if c.AdminUI.AdminUI == config.AdminUIOff {
		return nil, nil
	}
	mode := adminui.Production
	if c.AdminUI.AdminUI == config.AdminUIDevelopment {
		mode = adminui.Development
	}
	return adminui.Instrument(server, adminui.Options{
		Username:     c.AdminUI.AdminUIUsername,
		PasswordHash: c.AdminUI.AdminUIPasswordHash,
		ReadOnly:     c.AdminUI.AdminUIReadOnly,
		ServerID:     c.AdminUI.AdminUIServerID,
		Mode:         mode,
		HideEvents:   []string{auth.RefreshEvent},
		Logger:       log,
	})
}

// withAdminPage serves the admin UI's page at adminPath, where its files are given, and
// everything else by next.
func withAdminPage(c *config.Config, next http.Handler) http.Handler {
	if c.AdminUI.AdminUIFiles == "" {
		return next
	}
	mux := http.NewServeMux()
	mux.Handle("/", next)
	mux.Handle(adminPath, http.StripPrefix("/admin", adminui.Files(os.DirFS(c.AdminUI.AdminUIFiles))))
	return mux
}

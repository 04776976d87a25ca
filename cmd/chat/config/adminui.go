package config

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/crypto/bcrypt"
)

// What the admin UI may show.
const (
	AdminUIOff         = "off"
	AdminUIProduction  = "production"
	AdminUIDevelopment = "development"
)

// Costs of a password's hash: below it is too easily guessed, above a login takes some
// seconds of a processor.
const (
	MinPasswordCost = 10
	MaxPasswordCost = 15
)

// AdminUI is Socket.IO's admin UI: who may look at the server, and what they may do.
type AdminUI struct {
	AdminUI             string `name:"admin-ui" default:"off" enum:"off,production,development" help:"Namespace /admin for Socket.IO's admin UI: production shows numbers, development every socket and event, at a price."`
	AdminUIUsername     string `name:"admin-ui-username" default:"admin" help:"User name of its login."`
	AdminUIPasswordHash string `name:"admin-ui-password-hash" secret:"" placeholder:"HASH" help:"bcrypt hash of its password: chat hash-password prints one."`
	AdminUIReadOnly     bool   `name:"admin-ui-readonly" help:"Admins may look, and change nothing."`
	AdminUIServerID     string `name:"admin-ui-server-id" placeholder:"NAME" help:"Name of this server there; default: the host's."`
	AdminUIFiles        string `name:"admin-ui-files" type:"existingdir" placeholder:"DIR" help:"Folder ui/dist of the npm package @socket.io/admin-ui, to be served at /admin/; default: none. The page at https://admin.socket.io does as well, where --origin has it."`
}

func (a *AdminUI) validate() error {
	if a.AdminUI == AdminUIOff {
		if a.AdminUIPasswordHash != "" || a.AdminUIFiles != "" || a.AdminUIReadOnly {
			return errors.New("--admin-ui-password-hash, --admin-ui-readonly and --admin-ui-files do nothing without --admin-ui=production or --admin-ui=development")
		}
		return nil
	}
	return errors.Join(a.checkLogin(), a.checkFiles())
}

func (a *AdminUI) checkLogin() error {
	if a.AdminUIUsername == "" || a.AdminUIPasswordHash == "" {
		return errors.New("--admin-ui needs a login: give --admin-ui-username, and --admin-ui-password-hash with what `chat hash-password` prints")
	}
	cost, err := bcrypt.Cost([]byte(a.AdminUIPasswordHash))
	if err != nil { // which does not say what it was given
		return errors.New("--admin-ui-password-hash is no bcrypt hash: give what `chat hash-password` prints, in single quotes where a shell reads it")
	}
	if cost < MinPasswordCost || cost > MaxPasswordCost {
		return fmt.Errorf("--admin-ui-password-hash has cost %d: make one with a cost from %d to %d, such as `chat hash-password`", cost, MinPasswordCost, MaxPasswordCost)
	}
	return nil
}

func (a *AdminUI) checkFiles() error {
	if a.AdminUIFiles == "" {
		return nil
	}
	if _, err := os.Stat(filepath.Join(a.AdminUIFiles, "index.html")); err != nil {
		return fmt.Errorf("--admin-ui-files %s has no index.html: give the folder ui/dist of the npm package @socket.io/admin-ui", a.AdminUIFiles)
	}
	return nil
}

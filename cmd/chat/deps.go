package main

// Keeps the modules that the packages beside this one are about to use.
import (
	_ "github.com/MicahParks/keyfunc/v3"
	_ "github.com/golang-jwt/jwt/v5"
	_ "github.com/jackc/pgx/v5/pgxpool"
	_ "go.etcd.io/bbolt"
	_ "golang.org/x/crypto/bcrypt"
)

package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/mercadoesperto/smarket/internal/account"
	"github.com/mercadoesperto/smarket/internal/app"
	"github.com/mercadoesperto/smarket/internal/config"
)

func userCommand(load func() (config.Config, error)) *cobra.Command {
	cmd := &cobra.Command{Use: "user", Short: "Make and change accounts"}
	var name string
	var admin, premium bool
	create := &cobra.Command{
		Use:   "create EMAIL",
		Short: "Make an account; the password is read from standard input",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			password, err := bufio.NewReader(cmd.InOrStdin()).ReadString('\n')
			if err != nil && password == "" {
				return errors.New("give the password on standard input")
			}
			in := account.SignUpInput{Email: args[0], Name: name, Password: strings.TrimRight(password, "\r\n")}
			role, plan := rolePlan(admin, premium)
			return withAccounts(cmd, load, func(ctx context.Context, accounts *account.Service) error {
				u, err := accounts.CreateUser(ctx, in, role, plan)
				return report(cmd, u, err)
			})
		},
	}
	create.Flags().StringVar(&name, "name", "", "the person's name (default: what stands before the @)")
	promote := &cobra.Command{
		Use:   "promote EMAIL",
		Short: "Change an account's role or plan",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			role, plan := rolePlan(admin, premium)
			return withAccounts(cmd, load, func(ctx context.Context, accounts *account.Service) error {
				u, err := accounts.SetRoleAndPlan(ctx, args[0], role, plan)
				return report(cmd, u, err)
			})
		},
	}
	for _, c := range []*cobra.Command{create, promote} {
		c.Flags().BoolVar(&admin, "admin", false, "may administer the service")
		c.Flags().BoolVar(&premium, "premium", false, "has the premium plan")
	}
	cmd.AddCommand(create, promote)
	return cmd
}

func rolePlan(admin, premium bool) (account.Role, account.Plan) {
	role, plan := account.RoleUser, account.PlanFree
	if admin {
		role = account.RoleAdmin
	}
	if premium {
		plan = account.PlanPremium
	}
	return role, plan
}

func withAccounts(
	cmd *cobra.Command, load func() (config.Config, error), fn func(context.Context, *account.Service) error,
) error {
	cfg, err := load()
	if err != nil {
		return err
	}
	accounts, stop, err := app.OpenAccounts(cmd.Context(), cfg, commandLogger(cmd, cfg))
	if err != nil {
		return err
	}
	return errors.Join(fn(cmd.Context(), accounts), stop())
}

func report(cmd *cobra.Command, u *account.User, err error) error {
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s  %s  %s\n", u.ID, u.Role, u.Plan)
	return err
}
